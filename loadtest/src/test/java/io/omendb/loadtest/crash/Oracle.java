package io.omendb.loadtest.crash;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.TreeSet;

/**
 * Knows what may be found of one client's records after a crash. The client's writes apply in the
 * order in which it began them, so the records found must be those of all acknowledged writes and
 * of some prefix, none to all, of those in flight: acknowledged ⊆ recovered ⊆ acknowledged ∪ in
 * flight.
 */
final class Oracle {

  private final Map<Long, Integer> acknowledged = new HashMap<>();
  private final Deque<Operation> inFlight = new ArrayDeque<>();
  private final NavigableSet<Long> ids = new TreeSet<>();

  /** A write is about to be sent. */
  synchronized void begin(Operation operation) {
    inFlight.addLast(operation);
    ids.addAll(operation.ids());
  }

  /** The oldest write in flight was acknowledged. */
  synchronized void acknowledge() {
    apply(inFlight.removeFirst(), acknowledged);
  }

  /** The newest write in flight was refused. */
  synchronized void refuse() {
    inFlight.removeLast();
  }

  /** Every id that was ever written. */
  synchronized List<Long> ids() {
    return List.copyOf(ids);
  }

  /** How many ids were ever written. */
  synchronized int idCount() {
    return ids.size();
  }

  /**
   * Takes what was found for the truth, from which the client goes on.
   *
   * @param found versions of the records that are there
   * @return how many of the writes in flight had been applied
   * @throws AssertionError if no prefix of them explains what was found
   */
  synchronized int recover(Map<Long, Integer> found) {
    Map<Long, Integer> expected = new HashMap<>(acknowledged);
    String firstDifference = difference(expected, found);
    int applied = 0;
    for (Operation operation : inFlight) {
      if (expected.equals(found)) {
        break;
      }
      apply(operation, expected);
      applied++;
    }
    if (!expected.equals(found)) {
      throw new AssertionError(
          "neither the acknowledged writes nor a prefix of the "
              + inFlight.size()
              + " in flight explain what was found; against the acknowledged: "
              + firstDifference);
    }
    acknowledged.clear();
    acknowledged.putAll(found);
    inFlight.clear();
    return applied;
  }

  private static void apply(Operation operation, Map<Long, Integer> versions) {
    for (long id : operation.ids()) {
      if (operation.version() == Operation.DELETED) {
        versions.remove(id);
      } else {
        versions.put(id, operation.version());
      }
    }
  }

  private static String difference(Map<Long, Integer> expected, Map<Long, Integer> found) {
    NavigableSet<Long> all = new TreeSet<>(expected.keySet());
    all.addAll(found.keySet());
    return all.stream()
        .filter(id -> !Objects.equals(expected.get(id), found.get(id)))
        .limit(10)
        .map(id -> id + ": " + expected.get(id) + " became " + found.get(id))
        .toList()
        .toString();
  }
}
