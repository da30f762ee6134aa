package io.omendb.engine;

/** The collection could not be opened and does not serve; the others do. */
public final class CollectionQuarantinedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Exception damage;

  CollectionQuarantinedException(String name, Exception damage) {
    super("collection " + name + " is quarantined: " + damage.getMessage(), damage);
    this.damage = damage;
  }

  /** What was found: a {@link io.omendb.storage.api.CorruptFileException} where data is damaged. */
  public Exception damage() {
    return damage;
  }
}
