package io.omendb.storage.api;

/**
 * A collection has reached the size that its address space allows, deleted rows included. Nothing
 * was applied, and room on the disk does not help: the rows must go into a new collection.
 */
public final class CollectionFullException extends StorageException {
  private static final long serialVersionUID = 1L;

  /**
   * @param what is full: vectors, rows, or ids and payloads
   * @param limit in bytes
   */
  public CollectionFullException(String what, long limit) {
    super("the collection has stored the most it can of " + what + ": " + limit + " bytes", null);
  }
}
