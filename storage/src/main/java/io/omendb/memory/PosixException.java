package io.omendb.memory;

import java.io.IOException;

/** A system call that failed, with its errno. */
public final class PosixException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  PosixException(String call, String arguments, int errno) {
    super(call + "(" + arguments + ") failed: errno=" + errno);
    this.errno = errno;
  }

  /** The errno of the failed call, such as {@link Posix#ENOSPC}. */
  public int errno() {
    return errno;
  }
}
