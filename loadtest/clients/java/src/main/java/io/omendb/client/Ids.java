package io.omendb.client;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/** The ids of rows: all numbers, or all strings. Immutable as long as the array given is left alone. */
public sealed interface Ids {

  /** How many. */
  int count();

  /** Some of them, in a row. */
  Ids slice(int from, int to);

  /** Unsigned 64-bit numbers; the array is not copied. */
  static Ids of(long... numbers) {
    return new Numbers(numbers, 0, numbers.length);
  }

  /** The numbers from {@code from} on, without {@code to}. */
  static Ids range(long from, long to) {
    return of(LongStream.range(from, to).toArray());
  }

  /** Strings of 1 to 256 bytes of UTF-8. */
  static Ids of(String... names) {
    return of(List.of(names));
  }

  /** Strings of 1 to 256 bytes of UTF-8. */
  static Ids of(List<String> names) {
    return new Names(names.stream().map(name -> name.getBytes(StandardCharsets.UTF_8)).toList());
  }

  /**
   * Numbers of a collection of numeric ids.
   *
   * @param from of the first
   * @param to behind the last
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Numbers(long[] numbers, int from, int to) implements Ids {
    @Override
    public int count() {
      return to - from;
    }

    @Override
    public Ids slice(int first, int last) {
      return new Numbers(numbers, from + first, from + last);
    }

    long[] toArray() {
      return Arrays.copyOfRange(numbers, from, to);
    }
  }

  /** Names of a collection of string ids, in UTF-8. */
  record Names(List<byte[]> utf8) implements Ids {
    @Override
    public int count() {
      return utf8.size();
    }

    @Override
    public Ids slice(int first, int last) {
      return new Names(utf8.subList(first, last));
    }
  }
}
