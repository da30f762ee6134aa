package io.omendb.storage.api;

/** There is no collection of that name. */
public final class UnknownCollectionException extends StorageException {
  private static final long serialVersionUID = 1L;

  public UnknownCollectionException(String name) {
    super("collection " + name + " does not exist", null);
  }
}
