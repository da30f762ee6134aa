package io.omendb.storage.api;

/** A collection of that name is there. */
public final class CollectionExistsException extends StorageException {
  private static final long serialVersionUID = 1L;

  public CollectionExistsException(String name) {
    super("collection " + name + " exists", null);
  }
}
