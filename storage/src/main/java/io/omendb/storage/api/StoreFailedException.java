package io.omendb.storage.api;

/** An earlier write or sync failed; the collection takes nothing more until a restart. */
public final class StoreFailedException extends StorageException {
  private static final long serialVersionUID = 1L;

  public StoreFailedException(String collection, Throwable cause) {
    super("collection " + collection + ": an earlier write or sync failed: " + cause, cause);
  }
}
