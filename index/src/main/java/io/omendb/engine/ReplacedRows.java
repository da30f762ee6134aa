package io.omendb.engine;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;

/**
 * Rows that are marked deleted and found all the same: those replaced by rows that stay hidden
 * until they are linked. The successor <i>waits</i>, and the row it replaces is <i>held</i>, until
 * the successor is linked or is itself deleted; at every moment a search finds exactly one of them.
 *
 * <p>A search that overlaps the moment at which a batch takes the place of what it replaces may
 * meet both or neither. It reads {@link #version} before and asks {@link #isAt} after, and searches
 * again where that has changed.
 *
 * <p>Only searches ask here. In the durable state the replaced row is deleted; the successor's is
 * marked, so that a start may hold it again.
 *
 * <p>Threads: {@link #hold} and {@link #drop} are the log's thread's, {@link #link} the linker's,
 * the rest is for any. Memory: four bytes and a bit a slot, off the heap, from the first row held.
 */
final class ReplacedRows implements AutoCloseable {
  /** Slots by which the tables grow. */
  private static final int GROWTH = 1 << 16;

  private static final int GONE = -1;

  /**
   * Per successor: the slot held for it, plus one; {@link #GONE} for one that was itself replaced
   * and is not found any more; 0 for a slot that waits for nothing. Written under the monitor.
   */
  private final AddressSpace heldFor;

  /** Per slot a bit: held. Written under the monitor. */
  private final AddressSpace held;

  private final int maxSlots;

  /** Slots that both tables have. */
  private volatile int bound;

  private volatile int count;

  /** Odd while a batch takes the place of what it replaces. Written under the monitor. */
  private volatile long version;

  /**
   * @param maxSlots slots that there may ever be
   */
  ReplacedRows(int maxSlots) {
    this.maxSlots = maxSlots;
    this.heldFor = AddressSpace.reserve(4L * maxSlots);
    this.held = AddressSpace.reserve(8L * (maxSlots / 64 + 1L));
  }

  /** Rows held. */
  int count() {
    return count;
  }

  /** What {@link #isAt} takes; waits while a batch takes its place. */
  long version() {
    long now = version;
    while ((now & 1) != 0) {
      Thread.onSpinWait();
      now = version;
    }
    return now;
  }

  /** Whether nothing has taken another's place since. */
  boolean isAt(long before) {
    return version == before;
  }

  /** Whether a search finds a slot, given whether it is marked deleted. */
  boolean isFound(int slot, boolean deleted) {
    return count == 0 ? !deleted : deleted ? isHeld(slot) : waiting(slot) == 0;
  }

  /** Whether a slot is found although it is deleted. */
  boolean isHeld(int slot) {
    return slot < bound && (Memory.getLong(word(slot)) >>> slot & 1) != 0;
  }

  private int waiting(int successor) {
    return successor < bound ? Memory.getInt(heldFor.address() + 4L * successor) : 0;
  }

  /** The slot held for a successor; -1 for none. */
  private int heldFor(int successor) {
    return Math.max(0, waiting(successor)) - 1;
  }

  private long word(int slot) {
    return held.address() + 8L * (slot >>> 6);
  }

  /**
   * A hidden row is about to replace another, which is not marked deleted yet.
   *
   * @param hidden whether the replaced row was never found: then the row held for it, if any, is
   *     held for the successor
   */
  synchronized void hold(int replaced, int successor, boolean hidden) {
    int inherited = heldFor(replaced);
    int slot = inherited >= 0 ? inherited : hidden ? -1 : replaced;
    if (slot < 0) {
      return;
    }
    ensure(successor);
    if (inherited >= 0) {
      Memory.putInt(heldFor.address() + 4L * replaced, GONE);
    } else {
      Memory.putLong(word(slot), Memory.getLong(word(slot)) | 1L << slot);
      count++;
    }
    Memory.putInt(heldFor.address() + 4L * successor, slot + 1);
  }

  private void ensure(int slot) {
    if (slot >= bound) {
      int more = (int) Math.min(maxSlots, (long) slot + GROWTH);
      heldFor.commit(4L * more);
      held.commit(8L * (more / 64 + 1L));
      bound = more;
    }
  }

  /** A row was deleted, or replaced by one that is found: what was held for it goes too. */
  synchronized void drop(int successor) {
    int slot = heldFor(successor);
    if (slot >= 0) {
      Memory.putInt(heldFor.address() + 4L * successor, 0);
      Memory.putLong(word(slot), Memory.getLong(word(slot)) & ~(1L << slot));
      count--;
    }
  }

  /**
   * A batch was linked and takes the place of what it replaces.
   *
   * @param slots of the batch
   * @param linked what makes the batch count as linked; run in the same moment
   */
  void link(int[] slots, int number, Runnable linked) {
    if (count == 0) {
      linked.run();
      return;
    }
    change(() -> {
      for (int i = 0; i < number; i++) {
        drop(slots[i]);
      }
      linked.run();
    });
  }

  /** Another graph takes the place of the one that is searched. */
  synchronized void change(Runnable graph) {
    long before = version;
    version = before + 1;
    try {
      graph.run();
    } finally {
      version = before + 2;
    }
  }

  @Override
  public void close() {
    heldFor.close();
    held.close();
  }
}
