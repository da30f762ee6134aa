package io.omendb.storage;

/**
 * Figures of one collection at one moment.
 *
 * @param count slots published, deleted ones included
 * @param liveCount rows that are visible and not deleted
 * @param writtenLsn see {@link StoreListener#watermarks}
 * @param durableLsn see {@link StoreListener#watermarks}
 * @param publishedLsn see {@link StoreListener#watermarks}
 * @param checkpointLsn log position of the newest checkpoint
 * @param walBytes log bytes since the newest checkpoint
 * @param backlogBytes bytes waiting for the log
 * @param footprint what its rows take
 * @param unverifiedBytes truth whose checksums were not compared when it was opened
 * @param syncs syncs of the log so far
 * @param batches batches written so far
 * @param streams streams remembered
 */
public record StoreStats(
    int count,
    int liveCount,
    long writtenLsn,
    long durableLsn,
    long publishedLsn,
    long checkpointLsn,
    long walBytes,
    long backlogBytes,
    StorageFootprint footprint,
    long unverifiedBytes,
    long syncs,
    long batches,
    int streams) {}
