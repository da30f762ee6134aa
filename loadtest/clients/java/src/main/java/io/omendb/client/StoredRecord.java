package io.omendb.client;

/**
 * A record that was read.
 *
 * @param id of a collection of numeric ids, unsigned; else 0
 * @param name of a collection of string ids; else empty
 * @param payload empty if it has none
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record StoredRecord(long id, String name, byte[] payload, float[] vector) {}
