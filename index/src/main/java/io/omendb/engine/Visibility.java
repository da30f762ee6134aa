package io.omendb.engine;

/** When written rows may be found by a search. */
public enum Visibility {
  /** As soon as they are acknowledged; until they are linked they are compared one by one. */
  IMMEDIATE,
  /** Once they are linked in the graph, which begins when no bulk build is open any more. */
  AFTER_BUILD
}
