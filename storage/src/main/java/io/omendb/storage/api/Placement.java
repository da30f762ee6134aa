package io.omendb.storage.api;

/** Told which slots a write takes, under the write lock, before it goes into the log. */
@FunctionalInterface
public interface Placement {
  /** Told to nobody. */
  Placement NONE = (_, _) -> {};

  /**
   * The checked rows of a write take {@code count} slots from {@code firstSlot} on. The log may
   * still refuse the write: then its append throws, and the slots go to the next write.
   */
  void placed(int firstSlot, int count);

  /** Whether its rows are to be marked: they are not to be found before they are indexed. */
  default boolean deferred() {
    return false;
  }
}
