package io.omendb.storage.api;

import java.util.ArrayList;
import java.util.List;

/** Rows that cannot be stored. Nothing of their write was applied. */
public final class InvalidRowsException extends Exception {
  private static final long serialVersionUID = 1L;

  /** At most so many items are listed. */
  public static final int MAX_ITEMS = 10;

  /**
   * One invalid row.
   *
   * @param index of the row in its write
   * @param component of the vector, or -1 where the whole row is meant
   * @param value found there
   * @param reason in words
   */
  public record Item(int index, int component, float value, String reason)
      implements java.io.Serializable {}

  private final ArrayList<Item> items;
  private final int total;

  /** Takes the first {@link #MAX_ITEMS} of the items; {@code total} counts all invalid rows. */
  public InvalidRowsException(List<Item> items, int total) {
    super(total + " invalid rows, first: " + (items.isEmpty() ? "?" : items.getFirst()));
    this.items = new ArrayList<>(items.subList(0, Math.min(MAX_ITEMS, items.size())));
    this.total = total;
  }

  /** The first invalid rows. */
  public List<Item> items() {
    return List.copyOf(items);
  }

  /** How many rows are invalid. */
  public int total() {
    return total;
  }
}
