package io.omendb.loadtest.crash;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.omendb.loadtest.client.Connection;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/** Writes records of its own range of ids until the server dies, and remembers what it was told. */
abstract class LoadClient {

  private static final int RANGE_BITS = 32;

  final Oracle oracle = new Oracle();
  final SplittableRandom random;
  private long nextId;
  private int nextVersion = 1;

  LoadClient(int number, SplittableRandom random) {
    this.random = random;
    this.nextId = (long) number << RANGE_BITS;
  }

  /** Writes until a call fails; returns the failure. */
  final Status run(Connection connection, String collection) {
    try {
      write(connection, collection);
    } catch (StatusRuntimeException e) {
      return e.getStatus();
    }
    throw new AssertionError("the load ended by itself");
  }

  abstract void write(Connection connection, String collection);

  /** Is told what was found of its records after the restart. */
  void recovered(Map<Long, Integer> found) {
    oracle.recover(found);
  }

  /** Whether Search sees what this client has written. */
  boolean isSearchable() {
    return true;
  }

  /** Ends what is left open, so that Search sees everything. */
  void finish(Connection connection, String collection) {}

  /** Ids that were never used. */
  final List<Long> freshIds(int count) {
    long first = nextId;
    nextId += count;
    return LongStream.range(first, nextId).boxed().toList();
  }

  /** Some ids used before, each once; none if there are too few. */
  final List<Long> usedIds(int count) {
    int known = oracle.idCount();
    if (known < count) {
      return List.of();
    }
    long from = nextId - known + random.nextInt(known - count + 1);
    return LongStream.range(from, from + count).boxed().toList();
  }

  final int nextVersion() {
    return nextVersion++;
  }
}
