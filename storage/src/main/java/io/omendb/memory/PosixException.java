package io.omendb.memory;

import java.io.IOException;

/**
 * A system call that failed, with its errno; the message begins with the file where it names one.
 */
public final class PosixException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  PosixException(String call, String arguments, int errno) {
    super(arguments + ": " + words(errno) + " (" + call + ")");
    this.errno = errno;
  }

  private static String words(int errno) {
    return switch (errno) {
      case 1, 13 -> "permission denied";
      case 2 -> "no such file";
      case 5 -> "input/output error";
      case 12 -> "out of memory";
      case 21 -> "is a directory";
      case 23, 24 -> "too many open files";
      case Posix.ENOSPC -> "no space left on the device";
      case 30 -> "the file system is read-only";
      case 40 -> "too many symbolic links";
      case Posix.EDQUOT -> "the disk quota is used up";
      default -> "errno " + errno;
    };
  }

  /** The errno of the failed call, such as {@link Posix#ENOSPC}. */
  public int errno() {
    return errno;
  }
}
