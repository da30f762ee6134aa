package io.omendb.storage.api;

/**
 * Where a stream stands.
 *
 * @param loggedSequence last frame sequence taken into the log
 * @param durableSequence last frame sequence that a power cut cannot take; -1 for none yet
 */
public record StreamState(long loggedSequence, long durableSequence) {}
