package io.omendb.engine;

import io.omendb.storage.api.StorageException;

/** The collection's files are damaged and it does not serve; the others do. */
public final class CollectionQuarantinedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final StorageException damage;

  CollectionQuarantinedException(String name, StorageException damage) {
    super("collection " + name + " is quarantined: " + damage.getMessage(), damage);
    this.damage = damage;
  }

  /** What was found, with file and offset. */
  public StorageException damage() {
    return damage;
  }
}
