package io.omendb.engine;

import io.omendb.index.hnsw.HnswIndex;
import io.omendb.storage.RowReader;

/**
 * What a start finds that the graph's image lacks.
 *
 * @param visible rows that are not linked
 * @param hidden rows that are not to be found until they are linked
 * @param count slots of the store
 */
record RecoveredRows(SlotRanges visible, SlotRanges hidden, int count) {
  /**
   * Looks through a store that nobody writes yet. Rows of AFTER_BUILD that are more than searches
   * should compare one by one stay hidden, and what they replace is held.
   *
   * @param limit most such rows that are visible
   */
  static RecoveredRows find(RowReader rows, HnswIndex index, long limit, ReplacedRows replaced) {
    int count = rows.count();
    if (index.linkedCount() == count) {
      return new RecoveredRows(new SlotRanges(), new SlotRanges(), count);
    }
    boolean hides = deferredRows(rows, index) > limit;
    if (hides) {
      hold(rows, index, replaced);
    }
    SlotRanges visible = new SlotRanges();
    SlotRanges hidden = new SlotRanges();
    SlotRanges run = null; // what the slots from start belong to
    int start = 0;
    int end = 0; // after the last of them, which may have deleted ones between
    for (int slot = 0; slot < count; slot++) {
      boolean linked = index.graph().isLinked(slot);
      boolean held = replaced.isHeld(slot);
      if (!linked && !held && rows.isDeleted(slot)) {
        continue;
      }
      boolean hide = hides && !held && rows.isDeferred(slot);
      SlotRanges unlinked = hide ? hidden : visible;
      SlotRanges set = linked ? null : unlinked;
      if (set != run) {
        if (run != null) {
          run.add(start, end);
        }
        run = set;
        start = slot;
      }
      end = slot + 1;
    }
    if (run != null) {
      run.add(start, end);
    }
    return new RecoveredRows(visible, hidden, count);
  }

  private static long deferredRows(RowReader rows, HnswIndex index) {
    long deferred = 0;
    for (int slot = 0; slot < rows.count(); slot++) {
      deferred += isUnlinked(rows, index, slot) && rows.isDeferred(slot) ? 1 : 0;
    }
    return deferred;
  }

  /** Holds what the deferred rows replace. */
  private static void hold(RowReader rows, HnswIndex index, ReplacedRows replaced) {
    for (int slot = 0; slot < rows.count(); slot++) {
      if (isUnlinked(rows, index, slot) && rows.isDeferred(slot)) {
        int found = rows.replacedByDeferred(slot);
        while (found >= 0 && rows.isDeferred(found) && !index.graph().isLinked(found)) {
          found = rows.replacedByDeferred(found); // never found itself
        }
        if (found >= 0) {
          replaced.hold(found, slot, false);
        }
      }
    }
  }

  /** Whether a row is live, and not in the graph. */
  private static boolean isUnlinked(RowReader rows, HnswIndex index, int slot) {
    return !rows.isDeleted(slot) && !index.graph().isLinked(slot);
  }
}
