package io.omendb.service.call;

import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.wire.MemoryBudget;

/// What the reply of one call takes of the budget, from its first bytes until the call is over: a
/// reply that the client does not read lies in the network's buffers until then.
///
/// Any thread: the call may end while its reply is built.
public final class ReplyMemory {
  private final MemoryBudget budget;
  private long reserved;
  private boolean ended;

  public ReplyMemory(MemoryBudget budget) {
    this.budget = budget;
  }

  /// Makes sure that `bytes` in all are taken; a small reply takes none.
  public synchronized void reserve(long bytes) throws Refusal {
    long more = bytes - reserved;
    if (ended || more <= 0 || bytes <= MemoryBudget.SMALL_BYTES) {
      return;
    }
    if (!budget.tryReserve(more)) {
      throw Refusals.memoryFull(bytes, budget);
    }
    reserved = bytes;
  }

  /// The call is over, however it ended.
  public synchronized void end() {
    ended = true;
    budget.release(reserved);
    reserved = 0;
  }
}
