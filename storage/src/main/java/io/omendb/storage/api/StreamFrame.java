package io.omendb.storage.api;

/**
 * A client's position in one of its streams.
 *
 * @param streamId 1 to 256 bytes of UTF-8
 * @param frameSequence the client's number of the frame
 */
public record StreamFrame(String streamId, long frameSequence) {}
