package io.omendb.storage.api;

/** What happens once a log write or sync has failed and nothing more can be promised. */
@FunctionalInterface
public interface FailureHandler {
  /** Exit status of a process halted for a failed write or sync. */
  int EXIT_STATUS = 74;

  /** Does nothing: the failure is latched, and every further write is refused. */
  FailureHandler NONE = (what, cause) -> {};

  /** Halts the process: only a restart, which reads the disk again, can tell what survived. */
  FailureHandler HALT = (what, cause) -> Runtime.getRuntime().halt(EXIT_STATUS);

  /**
   * Called once per collection, after the failure was logged and the listener told, on the thread
   * that met it: the log's, or one that took a checkpoint; also by a thread that an Error ends.
   *
   * @param what the collection, or the thread, in words
   * @param cause the first failure
   */
  void fatal(String what, Throwable cause);
}
