package io.omendb.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;

/**
 * The rows of a collection that are not linked: which of them searches compare one by one (the
 * snapshot's unlinked), which stay hidden until they are linked (unbuilt), and which the linker
 * takes next.
 *
 * <p>Threads: any; each method is one short critical section. Searches read {@link #snapshot}, an
 * immutable snapshot. A row leaves the snapshot after it was linked, so a search that reads the
 * snapshot first and the graph second meets each row in at least one of them.
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

  @GuardedBy("this")
  private int published;

  @GuardedBy("this")
  private int openBuilds;

  @GuardedBy("this")
  private long placements;

  @GuardedBy("this")
  private int placedFrom = Integer.MAX_VALUE;

  private volatile Snapshot snapshot = new Snapshot(unlinked.copy(), unbuilt.copy(), 0);

  Snapshot snapshot() {
    return snapshot;
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
      snapshot = new Snapshot(snapshot.unlinked(), unbuilt.copy(), published);
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
    snapshot = new Snapshot(snapshot.unlinked(), unbuilt.copy(), published);
  }

  /** Takes note of rows that became visible, other than hidden ones. */
  synchronized void publish(int from, int to) {
    boolean toScan = from < to && !unbuilt.contains(from);
    if (toScan) {
      unlinked.add(from, to);
      unlinkedWork.add(from, to);
    }
    published = Math.max(published, to);
    snapshot =
        new Snapshot(toScan ? unlinked.copy() : snapshot.unlinked(), snapshot.unbuilt(), published);
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
   * pay for it, then of a build. The taken stay in the snapshot until {@link #linked}.
   *
   * @return how many were taken
   */
  synchronized int take(int[] into, int most) {
    return unlinkedWork.isEmpty()
        ? take(buildWork, into, (int) Math.min(most, buildable()))
        : take(unlinkedWork, into, most);
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

  private static int take(SlotRanges work, int[] into, int most) {
    int taken = 0;
    while (taken < most && !work.isEmpty()) {
      int from = work.from(0);
      int to = Math.min(work.to(0), from + most - taken);
      for (int slot = from; slot < to; slot++) {
        into[taken++] = slot;
      }
      work.remove(from, to);
    }
    return taken;
  }

  /** Removes slots, ascending, that were linked or need not be. */
  synchronized void linked(int[] slots, int count) {
    for (int i = 0; i < count; ) {
      int run = 1;
      while (i + run < count && slots[i + run] == slots[i] + run) {
        run++;
      }
      unlinked.remove(slots[i], slots[i] + run);
      unbuilt.remove(slots[i], slots[i] + run);
      i += run;
    }
    snapshot = new Snapshot(unlinked.copy(), unbuilt.copy(), published);
  }

  /** Whether a slot is hidden until it is linked. */
  synchronized boolean isUnbuilt(int slot) {
    return unbuilt.contains(slot);
  }

  /** Rows compared one by one. */
  synchronized long unlinkedRows() {
    return unlinked.slots();
  }

  /** The first hidden slot, or {@link Integer#MAX_VALUE}. */
  synchronized int firstUnbuilt() {
    return unbuilt.isEmpty() ? Integer.MAX_VALUE : unbuilt.from(0);
  }
}
