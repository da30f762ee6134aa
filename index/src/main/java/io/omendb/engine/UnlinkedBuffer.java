package io.omendb.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a collection that are not linked: which of them searches compare one by one (the
 * snapshot's unlinked), which stay hidden until they are linked (unbuilt), and which the linker
 * takes next.
 *
 * <p>Threads: any; each method is one short critical section. Searches read {@link #snapshot},
 * which is immutable, and made by the first of them after a change: made with each change, forty
 * thousand frames of AFTER_BUILD and IMMEDIATE in turns, a range each, took 1.3 s under this lock.
 * A row leaves the snapshot after it was linked, so a search that reads the snapshot first and the
 * graph second meets each row in at least one of them.
 */
final class UnlinkedBuffer {
  /**
   * What a search must know.
   *
   * @param unlinked rows to compare one by one
   * @param unbuilt rows not to be found yet
   * @param count published slots
   */
  record Snapshot(SlotRanges unlinked, SlotRanges unbuilt, int count) {}

  @GuardedBy("this")
  private final SlotRanges unlinked = new SlotRanges();

  @GuardedBy("this")
  private final SlotRanges unbuilt = new SlotRanges();

  @GuardedBy("this")
  private final SlotRanges unlinkedWork = new SlotRanges();

  @GuardedBy("this")
  private final SlotRanges buildWork = new SlotRanges();

  /** Rows that were hidden, are linked, and that no image has: a start might hide them again. */
  @GuardedBy("this")
  private final SlotRanges unimaged = new SlotRanges();

  /** Rows that a start lets searches compare one by one, rather than hide them. */
  private final long limit;

  @GuardedBy("this")
  private int published;

  /** Slots below were there when the collection was opened. */
  @GuardedBy("this")
  private int recoveredTo;

  /** Unlinked rows among them. */
  @GuardedBy("this")
  private long recoveredRows;

  @GuardedBy("this")
  private boolean recoveredNext;

  @GuardedBy("this")
  private int openBuilds;

  @GuardedBy("this")
  private long placements;

  @GuardedBy("this")
  private int placedFrom = Integer.MAX_VALUE;

  /** Null: of before the last change. */
  private volatile @Nullable Snapshot snapshot;

  UnlinkedBuffer(long limit) {
    this.limit = limit;
  }

  Snapshot snapshot() {
    Snapshot newest = snapshot;
    return newest != null ? newest : renewed();
  }

  private synchronized Snapshot renewed() {
    Snapshot newest = snapshot;
    if (newest == null) {
      newest = new Snapshot(unlinked.copy(), unbuilt.copy(), published);
      snapshot = newest;
    }
    return newest;
  }

  /**
   * Takes note of slots about to be logged. No slot from {@code from} on is in use: what an append
   * that failed after this call left here goes.
   *
   * @param hidden whether they are not to be found until they are linked
   * @return what {@link #withdraw} takes
   */
  synchronized long place(int from, int to, boolean hidden) {
    assert from >= published : "slots from " + from + ", of which " + published + " are published";
    long before = unbuilt.slots();
    unbuilt.remove(from, Integer.MAX_VALUE);
    buildWork.remove(from, Integer.MAX_VALUE);
    if (hidden) {
      unbuilt.add(from, to);
      buildWork.add(from, to);
    }
    if (hidden || unbuilt.slots() != before) {
      snapshot = null;
    }
    placedFrom = from;
    return ++placements;
  }

  /**
   * Forgets slots that were placed and then not logged: a build must not wait for them. If another
   * append came since, they are its slots now, and nothing is left to forget.
   */
  synchronized void withdraw(long placement) {
    if (placement != placements) {
      return;
    }
    unbuilt.remove(placedFrom, Integer.MAX_VALUE);
    buildWork.remove(placedFrom, Integer.MAX_VALUE);
    snapshot = null;
  }

  /** Takes note of rows that became visible, other than hidden ones. */
  synchronized void publish(int from, int to) {
    boolean toScan = from < to && !unbuilt.contains(from);
    if (toScan) {
      unlinked.add(from, to);
      unlinkedWork.add(from, to);
    }
    published = Math.max(published, to);
    snapshot = null;
  }

  /**
   * Begins with what a start found and no image has: it may be more than writers may leave here,
   * and is none of theirs.
   */
  synchronized void recover(RecoveredRows found) {
    assert published == 0;
    unlinked.addAll(found.visible());
    unlinkedWork.addAll(found.visible());
    unbuilt.addAll(found.hidden());
    buildWork.addAll(found.hidden());
    recoveredRows = found.visible().slots();
    recoveredTo = found.count();
    published = found.count();
    snapshot = null;
  }

  /** A bulk build opened: hidden rows wait until none is open. */
  synchronized void beginBuild() {
    openBuilds++;
  }

  /** A bulk build ended. */
  synchronized void endBuild() {
    assert openBuilds > 0;
    openBuilds--;
  }

  /** Whether there is something to take. */
  synchronized boolean hasWork() {
    return !unlinkedWork.isEmpty() || buildable() > 0;
  }

  /**
   * Takes up to {@code most} slots in ascending order: of the unlinked buffer first, since searches
   * pay for it, then of a build. New rows, for which writers wait, and recovered ones take turns.
   * The taken stay in the snapshot until {@link #linked}.
   *
   * @return how many were taken
   */
  synchronized int take(int[] into, int most) {
    if (unlinkedWork.isEmpty()) {
      return take(buildWork, 0, into, (int) Math.min(most, buildable()));
    }
    boolean some = unlinkedWork.from(0) < recoveredTo;
    boolean all = unlinkedWork.to(unlinkedWork.count() - 1) <= recoveredTo;
    recoveredNext = all || (some && !recoveredNext);
    return take(unlinkedWork, recoveredNext ? 0 : recoveredTo, into, most);
  }

  /**
   * Takes all slots of a build, if there are so many at least; null otherwise. They stay in the
   * snapshot until {@link #linked}.
   */
  synchronized @Nullable SlotRanges takeBuild(long least, long most) {
    long slots = buildable();
    if (slots < least || slots > most) {
      return null;
    }
    SlotRanges taken = buildWork.copy();
    buildWork.remove(0, Integer.MAX_VALUE);
    return taken;
  }

  /**
   * Takes up to {@code most} slots of rows that searches compare one by one, as {@link #take}, and
   * leaves builds alone.
   */
  synchronized int takeUnlinked(int[] into, int most) {
    return unlinkedWork.isEmpty() ? 0 : take(into, most);
  }

  /** Makes linked rows unlinked ones: they are no part of the graph any more. */
  synchronized void unlink(int[] slots) {
    for (int slot : slots) {
      unlinked.add(slot, slot + 1);
      unlinkedWork.add(slot, slot + 1);
    }
    snapshot = null;
  }

  /**
   * Makes every row that is not {@link #linked} one to take again: a batch was taken and could not
   * be linked.
   */
  synchronized void giveBack() {
    unlinkedWork.addAll(unlinked);
    buildWork.addAll(unbuilt);
  }

  /**
   * Hidden rows that may be linked: all or none. A build begins when all of its rows are published,
   * so that its batches, and with them the graph, do not depend on the pace of the log.
   */
  @GuardedBy("this")
  private long buildable() {
    boolean whole = buildWork.isEmpty() || buildWork.to(buildWork.count() - 1) <= published;
    return openBuilds == 0 && whole ? buildWork.slots() : 0;
  }

  /** Takes slots from {@code first} on. */
  private static int take(SlotRanges work, int first, int[] into, int most) {
    int taken = 0;
    for (int range = work.rangeFrom(first); range < work.count() && taken < most; range++) {
      int from = Math.max(first, work.from(range));
      int to = Math.min(work.to(range), from + most - taken);
      for (int slot = from; slot < to; slot++) {
        into[taken++] = slot;
      }
    }
    if (taken > 0) {
      work.remove(into[0], into[taken - 1] + 1);
    }
    return taken;
  }

  /** Removes slots, ascending, that were linked or need not be. */
  synchronized void linked(int[] slots, int count) {
    for (int i = 0; i < count && !unbuilt.isEmpty(); i++) {
      if (unbuilt.contains(slots[i])) {
        unimaged.add(slots[i], slots[i] + 1);
      }
    }
    unlinked.removeAll(slots, count);
    unbuilt.removeAll(slots, count);
    if (recoveredRows > 0) {
      recoveredRows = unlinked.slotsBelow(recoveredTo);
    }
    snapshot = null;
  }

  /** Whether a slot is hidden until it is linked. */
  synchronized boolean isUnbuilt(int slot) {
    return unbuilt.contains(slot);
  }

  /** Rows compared one by one. */
  synchronized long unlinkedRows() {
    return unlinked.slots();
  }

  /** Those of them that were written since the collection was opened. */
  synchronized long newUnlinkedRows() {
    return unlinked.slots() - recoveredRows;
  }

  /** The first slot that is hidden, or would be after a crash; or {@link Integer#MAX_VALUE}. */
  synchronized int firstUnsearchable() {
    int first = unbuilt.isEmpty() ? Integer.MAX_VALUE : unbuilt.from(0);
    boolean wouldBeHidden = !unimaged.isEmpty() && unbuilt.slots() + unimaged.slots() > limit;
    return wouldBeHidden ? Math.min(first, unimaged.from(0)) : first;
  }

  /** What an image that is begun now will have, for {@link #imaged}. */
  synchronized SlotRanges unimaged() {
    return unimaged.copy();
  }

  /** An image has these rows, or was given up. */
  synchronized void imaged(SlotRanges rows) {
    unimaged.removeAll(rows);
  }
}
