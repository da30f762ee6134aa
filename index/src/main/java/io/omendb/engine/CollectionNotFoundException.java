package io.omendb.engine;

/** There is no collection of that name. */
public final class CollectionNotFoundException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CollectionNotFoundException(String name) {
    super("collection " + name + " does not exist");
  }
}
