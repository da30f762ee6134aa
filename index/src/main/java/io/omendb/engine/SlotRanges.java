package io.omendb.engine;

import java.util.Arrays;

/**
 * A set of slots as sorted, disjoint, half-open ranges: few, since slots are given out in sequence.
 *
 * <p>Not thread-safe.
 */
final class SlotRanges {
  private int[] from = new int[8];
  private int[] to = new int[8];
  private int count;
  private long slots;

  /** Ranges. */
  int count() {
    return count;
  }

  /** Slots in all ranges. */
  long slots() {
    return slots;
  }

  int from(int range) {
    return from[range];
  }

  int to(int range) {
    return to[range];
  }

  boolean isEmpty() {
    return count == 0;
  }

  /** Adds slots of which none is in the set. */
  void add(int first, int end) {
    if (first >= end) {
      return;
    }
    int at = position(first);
    slots += end - first;
    boolean joinsBefore = at > 0 && to[at - 1] == first;
    boolean joinsAfter = at < count && from[at] == end;
    if (joinsBefore && joinsAfter) {
      to[at - 1] = to[at];
      removeRange(at);
    } else if (joinsBefore) {
      to[at - 1] = end;
    } else if (joinsAfter) {
      from[at] = first;
    } else {
      insertRange(at, first, end);
    }
  }

  /** Adds the slots of another set, of which some may be in this one. */
  void addAll(SlotRanges other) {
    for (int range = 0; range < other.count; range++) {
      remove(other.from[range], other.to[range]);
      add(other.from[range], other.to[range]);
    }
  }

  /** Removes the slots of {@code [first, end)} that are in the set. */
  void remove(int first, int end) {
    if (first >= end) {
      return;
    }
    int at = position(first);
    if (at > 0 && to[at - 1] > first) {
      at--;
    }
    while (at < count && from[at] < end) {
      int rangeFrom = from[at];
      int rangeTo = to[at];
      int cutFrom = Math.max(rangeFrom, first);
      int cutTo = Math.min(rangeTo, end);
      slots -= cutTo - cutFrom;
      if (cutFrom > rangeFrom && cutTo < rangeTo) {
        to[at] = cutFrom;
        insertRange(at + 1, cutTo, rangeTo);
        return;
      } else if (cutFrom > rangeFrom) {
        to[at] = cutFrom;
        at++;
      } else if (cutTo < rangeTo) {
        from[at] = cutTo;
        return;
      } else {
        removeRange(at);
      }
    }
  }

  boolean contains(int slot) {
    int at = position(slot + 1);
    return at > 0 && to[at - 1] > slot;
  }

  /** A copy that nobody writes. */
  SlotRanges copy() {
    SlotRanges copy = new SlotRanges();
    copy.from = Arrays.copyOf(from, Math.max(1, count));
    copy.to = Arrays.copyOf(to, Math.max(1, count));
    copy.count = count;
    copy.slots = slots;
    return copy;
  }

  /** The first range that starts at or after {@code slot}. */
  private int position(int slot) {
    int at = Arrays.binarySearch(from, 0, count, slot);
    return at < 0 ? -at - 1 : at;
  }

  private void insertRange(int at, int first, int end) {
    if (count == from.length) {
      from = Arrays.copyOf(from, 2 * count);
      to = Arrays.copyOf(to, 2 * count);
    }
    System.arraycopy(from, at, from, at + 1, count - at);
    System.arraycopy(to, at, to, at + 1, count - at);
    from[at] = first;
    to[at] = end;
    count++;
  }

  private void removeRange(int at) {
    System.arraycopy(from, at + 1, from, at, count - at - 1);
    System.arraycopy(to, at + 1, to, at, count - at - 1);
    count--;
  }
}
