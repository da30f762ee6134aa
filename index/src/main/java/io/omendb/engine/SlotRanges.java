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
      removeRanges(at, at + 1);
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
    int at = rangeFrom(first);
    if (first >= end || at == count || from[at] >= end) {
      return;
    }
    if (from[at] < first && to[at] > end) {
      int rangeTo = to[at];
      to[at] = first;
      insertRange(at + 1, end, rangeTo);
      slots -= end - first;
      return;
    }
    if (from[at] < first) {
      slots -= to[at] - first;
      to[at++] = first;
    }
    int whole = at;
    for (; whole < count && to[whole] <= end; whole++) {
      slots -= to[whole] - from[whole];
    }
    removeRanges(at, whole);
    if (at < count && from[at] < end) {
      slots -= end - from[at];
      from[at] = end;
    }
  }

  /**
   * Removes those of {@code gone}, ascending, that are in the set: in one pass, since there may be
   * as many ranges as slots.
   */
  void removeAll(int[] gone, int n) {
    SlotRanges left = new SlotRanges();
    int next = 0;
    for (int range = 0; range < count; range++) {
      int first = from[range];
      while (next < n && gone[next] < first) {
        next++;
      }
      for (; next < n && gone[next] < to[range]; next++) {
        left.add(first, gone[next]);
        first = gone[next] + 1;
      }
      left.add(first, to[range]);
    }
    from = left.from;
    to = left.to;
    count = left.count;
    slots = left.slots;
  }

  /** Removes the slots of another set that are in this one. */
  void removeAll(SlotRanges other) {
    for (int range = 0; range < other.count; range++) {
      remove(other.from[range], other.to[range]);
    }
  }

  /** Slots of the set below {@code end}. */
  long slotsBelow(int end) {
    long below = 0;
    for (int range = 0; range < count && from[range] < end; range++) {
      below += Math.min(to[range], end) - from[range];
    }
    return below;
  }

  /** The first range that holds a slot from {@code slot} on, or {@link #count}. */
  int rangeFrom(int slot) {
    int at = position(slot);
    return at > 0 && to[at - 1] > slot ? at - 1 : at;
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

  private void removeRanges(int first, int end) {
    System.arraycopy(from, end, from, first, count - end);
    System.arraycopy(to, end, to, first, count - end);
    count -= end - first;
  }
}
