package io.omendb.engine;

/** So many rows wait to be linked that scanning them would slow every search: retry later. */
public final class UnlinkedBufferFullException extends Exception {
  private static final long serialVersionUID = 1L;

  UnlinkedBufferFullException(String name, long rows, long limit) {
    super("collection " + name + ": " + rows + " rows wait to be linked, limit " + limit);
  }
}
