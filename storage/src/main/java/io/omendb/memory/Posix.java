package io.omendb.memory;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/**
 * The Linux system calls that the JDK does not offer, by the Foreign Function API.
 *
 * <p>All calls are slow-path: each allocates and takes a transition. Threads: any. Errors: {@link
 * IOException} naming the call, its main argument and errno.
 */
public final class Posix {
  /** Pages may be read. */
  public static final int PROT_READ = 1;

  /** Pages may be written. */
  public static final int PROT_WRITE = 2;

  static final int PROT_NONE = 0;
  static final int MAP_SHARED = 0x01;
  static final int MAP_PRIVATE = 0x02;
  static final int MAP_FIXED = 0x10;
  static final int MAP_ANONYMOUS = 0x20;
  static final int MAP_NORESERVE = 0x4000;

  /** Read some of what lies around what is used, too. */
  public static final int MADV_NORMAL = 0;

  /** Read what is used and nothing around it. */
  public static final int MADV_RANDOM = 1;

  /** Read ahead of use; see madvise(2). */
  public static final int MADV_WILLNEED = 3;

  /** Give the pages of an anonymous range back; they read as zeros afterwards. */
  public static final int MADV_DONTNEED = 4;

  /** Back the range with huge pages where possible. */
  public static final int MADV_HUGEPAGE = 14;

  /** Take the pages out of memory, as if it had become short; they are read again when used. */
  public static final int MADV_PAGEOUT = 21;

  /** No space left on the device. */
  public static final int ENOSPC = 28;

  /** The quota is used up. */
  public static final int EDQUOT = 122;

  private static final int RUSAGE_THREAD = 1;
  private static final long RUSAGE_BYTES = 144;
  private static final long RU_MAJFLT = 72;

  private static final int EINTR = 4;
  private static final int O_RDWR = 2;
  private static final int O_CREAT = 0x40;
  private static final int O_CLOEXEC = 0x80000;
  private static final int MODE_0640 = 0x1A0;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle MMAP =
      handle(
          "mmap",
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle MUNMAP =
      handle("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle MADVISE =
      handle("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));

  private static final MethodHandle MEMCPY =
      plainHandle("memcpy", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

  private static final MethodHandle MEMSET =
      plainHandle("memset", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG));

  private static final MethodHandle MPROTECT =
      handle("mprotect", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));

  @SuppressWarnings("restricted") // Calling the system is what this class is for.
  private static final MethodHandle OPEN =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("open"),
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
          Linker.Option.captureCallState("errno"),
          Linker.Option.firstVariadicArg(2));

  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle FALLOCATE =
      handle("posix_fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
  private static final MethodHandle FDATASYNC =
      handle("fdatasync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

  private static final MethodHandle MADVISE_UNCHECKED =
      plainHandle("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));

  private static final MethodHandle GETRUSAGE =
      plainHandle("getrusage", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));

  private static final ThreadLocal<MemorySegment> USAGE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(RUSAGE_BYTES, Long.BYTES));

  private Posix() {}

  /**
   * Opens a file for reading and writing, creating it with mode 0640 where it is missing.
   *
   * @return the file descriptor, owned by the caller: {@link #close} it
   */
  public static int openFile(Path path) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      int fd =
          (int)
              OPEN.invokeExact(
                  state,
                  arena.allocateFrom(path.toString()),
                  O_RDWR | O_CREAT | O_CLOEXEC,
                  MODE_0640);
      if (fd < 0) {
        throw failure("open", path.toString(), errno(state));
      }
      return fd;
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  /** Closes a file descriptor. */
  public static void close(int fd) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      check((int) CLOSE.invokeExact(state, fd), "close", "fd=" + fd, state);
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  /**
   * Allocates blocks for {@code [offset, offset + length)} so that no later store into a mapping of
   * the range can fail for want of space (SIGBUS).
   */
  public static void allocate(int fd, long offset, long length) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      int error;
      do {
        error = (int) FALLOCATE.invokeExact(state, fd, offset, length);
      } while (error == EINTR);
      if (error != 0) {
        throw failure("posix_fallocate", "fd=" + fd + " length=" + length, error);
      }
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  /** Writes the file's data, stores through mappings included, to the device. */
  public static void syncData(int fd) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      check((int) FDATASYNC.invokeExact(state, fd), "fdatasync", "fd=" + fd, state);
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  /** Gives advice about a page-aligned range; see madvise(2). */
  public static void advise(long address, long length, int advice) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      check(
          (int) MADVISE.invokeExact(state, address, length, advice),
          "madvise",
          "length=" + length + " advice=" + advice,
          state);
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  /**
   * Begins to read the pages of a range that are not in memory, and does not wait for them. Costs a
   * microsecond also where they are. Allocates nothing.
   */
  public static void willNeed(long address, long length) {
    long from = address & -AddressSpace.PAGE;
    try {
      int unused =
          (int) MADVISE_UNCHECKED.invokeExact(from, address + length - from, MADV_WILLNEED);
    } catch (Throwable t) {
      throw new AssertionError("madvise does not throw", t);
    }
  }

  /** Page faults of this thread for which a device was read. Allocates once a thread. */
  public static long majorFaults() {
    MemorySegment usage = USAGE.get();
    try {
      int unused = (int) GETRUSAGE.invokeExact(RUSAGE_THREAD, usage);
      return usage.get(JAVA_LONG, RU_MAJFLT);
    } catch (Throwable t) {
      throw new AssertionError("getrusage does not throw", t);
    }
  }

  /**
   * Zeroes a byte of each page of a range that is about to be written, so that stores into it do
   * not fault. A thread that waits for the device in here waits in native code; one that faults in
   * Java code keeps the JVM from every safepoint, and with it all other threads.
   *
   * <p>Not by MADV_POPULATE_WRITE: it holds the lock of the address space while it waits, on which
   * the next thread that maps memory waits, and on that one every fault. Allocates nothing; some 10
   * ns a page.
   */
  public static void touch(long address, long length) {
    long end = address + length;
    try {
      for (long at = address; at < end; at = (at & -AddressSpace.PAGE) + AddressSpace.PAGE) {
        long unused = (long) MEMSET.invokeExact(at, 0, 1L);
      }
    } catch (Throwable t) {
      throw new AssertionError("memset does not throw", t);
    }
  }

  /**
   * Copies between native ranges that do not overlap, in native code: pages that {@link #touch} has
   * made ready may be written back before they are stored into, and then the store faults again.
   */
  public static void copy(long source, long target, long bytes) {
    try {
      long unused = (long) MEMCPY.invokeExact(target, source, bytes);
    } catch (Throwable t) {
      throw new AssertionError("memcpy does not throw", t);
    }
  }

  static long map(long address, long length, int protection, int flags, int fd, long offset)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      long mapped = (long) MMAP.invokeExact(state, address, length, protection, flags, fd, offset);
      if (mapped == -1L) {
        throw failure("mmap", "length=" + length + " fd=" + fd, errno(state));
      }
      return mapped;
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  static void unmap(long address, long length) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      check((int) MUNMAP.invokeExact(state, address, length), "munmap", "length=" + length, state);
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  static void protect(long address, long length, int protection) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(CALL_STATE);
      check(
          (int) MPROTECT.invokeExact(state, address, length, protection),
          "mprotect",
          "length=" + length,
          state);
    } catch (Throwable t) {
      throw rethrow(t);
    }
  }

  @SuppressWarnings("restricted") // Calling the system is what this class is for.
  private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        descriptor,
        Linker.Option.captureCallState("errno"));
  }

  /** Of a call whose failure nobody asks for. */
  @SuppressWarnings("restricted") // Calling the system is what this class is for.
  private static MethodHandle plainHandle(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor);
  }

  private static int errno(MemorySegment state) {
    return (int) ERRNO.get(state, 0L);
  }

  private static void check(int result, String call, String arguments, MemorySegment state)
      throws IOException {
    if (result != 0) {
      throw failure(call, arguments, errno(state));
    }
  }

  private static PosixException failure(String call, String arguments, int errno) {
    return new PosixException(call, arguments, errno);
  }

  private static IOException rethrow(Throwable t) {
    return switch (t) {
      case IOException e -> e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(t);
    };
  }
}
