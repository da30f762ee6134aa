package io.omendb.storage.api;

/** What happens once a log write or sync has failed and nothing more can be promised. */
@FunctionalInterface
public interface FailureHandler {
  /** Exit status of a process halted for a failed write or sync. */
  int EXIT_STATUS = 74;

  /** Halts the process: only a restart, which reads the disk again, can tell what survived. */
  FailureHandler HALT = (what, cause) -> Runtime.getRuntime().halt(EXIT_STATUS);

  /**
   * Called once per collection, on its log thread, after the failure was logged and the listener
   * told.
   *
   * @param what the collection, in words
   * @param cause the first failure
   */
  void fatal(String what, Throwable cause);
}
