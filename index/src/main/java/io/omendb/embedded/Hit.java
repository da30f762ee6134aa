package io.omendb.embedded;

/**
 * A record that was found.
 *
 * @param id its id, unsigned
 * @param distance from the query: smaller is nearer
 * @param payload its bytes; empty if it has none
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Hit(long id, float distance, byte[] payload) {}
