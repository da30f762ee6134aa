package io.omendb.storage.row;

/**
 * How a byte space is laid over files of doubling size.
 *
 * <pre>
 *   file    0      1       2            …   8          9          10
 *   size    1 MiB  2 MiB   4 MiB            256 MiB    256 MiB    256 MiB …
 *   start   0      1 MiB   3 MiB            255 MiB    511 MiB    767 MiB …
 * </pre>
 *
 * <p>The files have no header: byte {@code x} of the space is byte {@code x - start(k)} of file
 * {@code k}, so rows of any stride may straddle files and are still found by one multiplication.
 */
public final class ExtentLayout {
  static final long SMALLEST = 1L << 20;
  static final int DOUBLINGS = 8;
  static final long LARGEST = SMALLEST << DOUBLINGS;

  private ExtentLayout() {}

  static long size(int file) {
    return SMALLEST << Math.min(file, DOUBLINGS);
  }

  static long start(int file) {
    return file <= DOUBLINGS
        ? (SMALLEST << file) - SMALLEST
        : (LARGEST - SMALLEST) + (file - DOUBLINGS) * LARGEST;
  }

  /** The file that holds a byte of the space. */
  public static int fileAt(long offset) {
    if (offset < start(DOUBLINGS)) {
      return 63 - Long.numberOfLeadingZeros((offset + SMALLEST) / SMALLEST);
    }
    return DOUBLINGS + (int) ((offset - start(DOUBLINGS)) / LARGEST);
  }

  /** How many files hold {@code bytes} bytes. */
  static int filesFor(long bytes) {
    return bytes == 0 ? 0 : fileAt(bytes - 1) + 1;
  }

  /**
   * Bytes of the files of a space whose first {@code bytes} bytes are in use: with the next file
   * from when the newest is half full.
   */
  public static long fileBytes(long bytes) {
    int files = filesFor(bytes);
    boolean ahead = files > 0 && isHalfFull(bytes, start(files));
    return start(ahead ? files + 1 : files);
  }

  /** Whether the newest of the files that hold {@code mapped} bytes is in use by more than half. */
  static boolean isHalfFull(long bytes, long mapped) {
    return bytes > mapped - size(fileAt(mapped - 1)) / 2;
  }

  public static String name(String kind, int file) {
    return "%s-%05d".formatted(kind, file);
  }
}
