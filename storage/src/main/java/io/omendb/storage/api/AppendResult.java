package io.omendb.storage.api;

import java.util.Arrays;

/**
 * What an append did. Reusable by one thread; each append overwrites it.
 *
 * <p>Applied rows took the slots {@code firstSlot} … {@code firstSlot + appliedRows - 1} in the
 * order of their source, conflicting rows left out.
 */
public final class AppendResult {
  /** Log position of the write; 0 where nothing was logged. */
  public long lsn;

  /** Slot of the first applied row; -1 where none was applied. */
  public int firstSlot;

  /** Rows applied. */
  public int appliedRows;

  /** Applied rows whose id was not there. */
  public int inserted;

  /** Applied rows that replaced another. */
  public int updated;

  /** Rows left out by the write mode: their indexes, ascending. */
  public int[] conflictRows = new int[16];

  /** How many of {@link #conflictRows} are set. */
  public int conflictCount;

  public void reset() {
    lsn = 0;
    firstSlot = -1;
    appliedRows = 0;
    inserted = 0;
    updated = 0;
    conflictCount = 0;
  }

  public void addConflict(int row) {
    if (conflictCount == conflictRows.length) {
      conflictRows = Arrays.copyOf(conflictRows, 2 * conflictCount);
    }
    conflictRows[conflictCount++] = row;
  }
}
