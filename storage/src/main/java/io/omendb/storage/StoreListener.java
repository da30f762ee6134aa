package io.omendb.storage;

import java.util.function.IntUnaryOperator;

/**
 * Told what a collection's log has done. Every method is called on the log's thread, in log order,
 * and must not block or throw: the log waits.
 */
public interface StoreListener {
  /**
   * Rows are about to become visible, and those they replace to be marked deleted.
   *
   * @param slotFrom first of them
   * @param slotTo one past the last
   * @param replaced from a slot of a deferred row to the one it replaces, live until now; -1 for
   *     none, and for rows that are not deferred
   */
  default void publishing(int slotFrom, int slotTo, IntUnaryOperator replaced) {}

  /**
   * A record became visible.
   *
   * @param lsn of the record
   * @param slotFrom first slot it added
   * @param slotTo one past the last; equal to {@code slotFrom} where it added none
   * @param deletedSlots slots that were marked deleted with it; valid during the call
   * @param deletedCount how many of them
   */
  void published(long lsn, int slotFrom, int slotTo, int[] deletedSlots, int deletedCount);

  /**
   * The watermarks moved.
   *
   * @param writtenLsn everything up to it was handed to the operating system
   * @param durableLsn everything up to it survives a power cut
   * @param publishedLsn everything up to it is visible
   */
  void watermarks(long writtenLsn, long durableLsn, long publishedLsn);

  /** A write or sync failed; the outcome of what was not yet acknowledged is unknown. */
  void failed(Throwable cause);

  /** Hears nothing. */
  StoreListener NONE =
      new StoreListener() {
        @Override
        public void published(
            long lsn, int slotFrom, int slotTo, int[] deletedSlots, int deletedCount) {}

        @Override
        public void watermarks(long writtenLsn, long durableLsn, long publishedLsn) {}

        @Override
        public void failed(Throwable cause) {}
      };
}
