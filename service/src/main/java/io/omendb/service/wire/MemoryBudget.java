package io.omendb.service.wire;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;

/// Bytes that requests in line, frames held back and replies on their way may occupy together: a
/// share of the heap, so that a burst of large ones is refused instead of ending the process.
///
/// Small requests are not counted once they are whole: queue and thread limits bound them. Any
/// thread; no lock.
public final class MemoryBudget {
  /// A request that is smaller is not worth counting.
  public static final int SMALL_BYTES = 16 << 10;

  /// The heap is this many budgets: beside it lie the engine's structures, what is being decoded,
  /// and the room that a collector needs.
  private static final int SHARE_OF_HEAP = 3;

  private final long most;
  private final AtomicLong used = new AtomicLong();

  public MemoryBudget(long most) {
    this.most = most;
  }

  /// The budget of a process with this heap.
  public static MemoryBudget ofHeap() {
    return new MemoryBudget(Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP);
  }

  /// What messages being gathered, or held by writes that wait, may take of the memory outside the
  /// heap: an eighth each. A part of one keeps the whole buffer that it was read into, which holds
  /// parts of others: with 64 MiB of messages, 120 of 3 MiB at once have been seen to take 256 MiB.
  /// The rest is for replies.
  public static MemoryBudget ofDirectMemory() {
    var machine = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    long limit = Long.parseLong(machine.getVMOption("MaxDirectMemorySize").getValue());
    return new MemoryBudget((limit > 0 ? limit : Runtime.getRuntime().maxMemory()) / 8);
  }

  /// Takes `bytes`, or none and returns false; what was taken must be given back.
  public boolean tryReserve(long bytes) {
    long before = used.get();
    while (before + bytes <= most) {
      if (used.compareAndSet(before, before + bytes)) {
        return true;
      }
      before = used.get();
    }
    return false;
  }

  /// Gives `bytes` back; where none were taken, the shared counter is not touched.
  public void release(long bytes) {
    if (bytes == 0) {
      return;
    }
    long left = used.addAndGet(-bytes);
    assert left >= 0 : "gave back more than was taken";
  }

  /// Bytes taken.
  public long used() {
    return used.get();
  }

  /// Bytes there are.
  public long most() {
    return most;
  }

  /// Little is left: who can wait should.
  public boolean isTight() {
    return used.get() > most - most / 4;
  }
}
