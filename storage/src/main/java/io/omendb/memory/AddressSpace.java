package io.omendb.memory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.LongAdder;

/**
 * A contiguous range of addresses, reserved once and filled from its start, so that what lies in it
 * never moves while it grows.
 *
 * <p>A reservation costs no memory. {@link #commit} backs a prefix with zeroed anonymous memory
 * (the growing graph, codes); {@link #mapFile} puts a part of a file at a chosen place (extents
 * that grow file by file, yet are addressed as one array). The road not taken, a table of extents,
 * costs a shift, a load and a branch for each row.
 *
 * <p>Threads: {@code commit}, {@code mapFile} and {@code close} are for one writer at a time; the
 * memory itself may be read by any thread that learned of it through a release/acquire pair. After
 * {@link #close} any access to the range kills the process: the owner counts its readers.
 */
public final class AddressSpace implements AutoCloseable {
  /** Size of a huge page; reservations are aligned to it. */
  public static final long HUGE_PAGE = 2L << 20;

  /** Smallest unit of commit. */
  public static final long PAGE = 4096;

  /** Below this size huge pages would cost a small collection more than they give. */
  private static final long HUGE_PAGES_FROM = 4 * HUGE_PAGE;

  private static final LongAdder COMMITTED_IN_ALL = new LongAdder();

  private final long mappedAddress;
  private final long mappedBytes;
  private final long address;
  private final long bytes;
  private long committedBytes;
  private boolean closed;

  private AddressSpace(long mappedAddress, long mappedBytes, long bytes) {
    this.mappedAddress = mappedAddress;
    this.mappedBytes = mappedBytes;
    this.address = roundUp(mappedAddress, HUGE_PAGE);
    this.bytes = bytes;
  }

  /**
   * Reserves addresses without memory.
   *
   * @param bytes the most this range will ever hold
   */
  public static AddressSpace reserve(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("bytes=" + bytes + ", expected > 0");
    }
    long rounded = roundUp(bytes, HUGE_PAGE);
    try {
      long mapped =
          Posix.map(
              0,
              rounded + HUGE_PAGE,
              Posix.PROT_NONE,
              Posix.MAP_PRIVATE | Posix.MAP_ANONYMOUS | Posix.MAP_NORESERVE,
              -1,
              0);
      return new AddressSpace(mapped, rounded + HUGE_PAGE, rounded);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** First address, aligned to {@link #HUGE_PAGE}. */
  public long address() {
    return address;
  }

  /** Bytes reserved. */
  public long bytes() {
    return bytes;
  }

  /** Bytes backed by anonymous memory so far. */
  public long committedBytes() {
    return committedBytes;
  }

  /**
   * Backs at least the first {@code size} bytes with zeroed anonymous memory. Grows in steps of an
   * eighth, at least one page, so that steady growth makes few system calls.
   */
  public void commit(long size) {
    if (size <= committedBytes) {
      return;
    }
    checkRange(0, size);
    long target =
        Math.min(bytes, roundUp(Math.max(size, committedBytes + committedBytes / 8), PAGE));
    if (target >= HUGE_PAGES_FROM) {
      target = Math.min(bytes, roundUp(target, HUGE_PAGE));
    }
    try {
      Posix.protect(
          address + committedBytes, target - committedBytes, Posix.PROT_READ | Posix.PROT_WRITE);
      if (target >= HUGE_PAGES_FROM) {
        adviseHugePages(target);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    COMMITTED_IN_ALL.add(target - committedBytes);
    committedBytes = target;
  }

  /** Bytes that all ranges of the process back with anonymous memory now. */
  public static long committedInAll() {
    return COMMITTED_IN_ALL.sum();
  }

  /** Huge pages are a gain, not a need: a kernel without them answers EINVAL. */
  private void adviseHugePages(long target) {
    try {
      Posix.advise(address, target, Posix.MADV_HUGEPAGE);
    } catch (IOException unsupported) {
      // Ordinary pages serve; search is some 10 % slower.
    }
  }

  /**
   * Maps {@code length} bytes of an open file, shared and writable, at {@code address() + at}. The
   * file must have blocks allocated for the whole range.
   */
  public void mapFile(int fd, long fileOffset, long length, long at) throws IOException {
    checkRange(at, length);
    Posix.map(
        address + at,
        length,
        Posix.PROT_READ | Posix.PROT_WRITE,
        Posix.MAP_SHARED | Posix.MAP_FIXED,
        fd,
        fileOffset);
  }

  /** Unmaps the whole range. No thread may be reading it. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      Posix.unmap(mappedAddress, mappedBytes);
      COMMITTED_IN_ALL.add(-committedBytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void checkRange(long at, long length) {
    if (at < 0 || length < 0 || at + length > bytes) {
      throw new IllegalArgumentException(
          "range [" + at + ", " + (at + length) + ") outside the reserved " + bytes + " bytes");
    }
  }

  private static long roundUp(long value, long unit) {
    return (value + unit - 1) / unit * unit;
  }
}
