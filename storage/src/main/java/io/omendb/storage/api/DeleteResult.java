package io.omendb.storage.api;

/**
 * What a delete did.
 *
 * @param lsn its log position; 0 where no id was there
 * @param deleted how many rows were marked deleted
 */
public record DeleteResult(long lsn, int deleted) {}
