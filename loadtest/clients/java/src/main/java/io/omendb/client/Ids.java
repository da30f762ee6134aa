package io.omendb.client;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.stream.LongStream;

/**
 * The ids of rows: all numbers, or all strings. Immutable as long as the array given is left alone.
 */
public sealed interface Ids {

  /** How many. */
  int count();

  /** Some of them, in a row. */
  Ids slice(int from, int to);

  /** Gives each to the one that takes its kind; names in UTF-8. */
  void forEach(LongConsumer ofNumbers, Consumer<ByteString> ofNames);

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

    @Override
    public void forEach(LongConsumer ofNumbers, Consumer<ByteString> ofNames) {
      for (int i = from; i < to; i++) {
        ofNumbers.accept(numbers[i]);
      }
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

    @Override
    public void forEach(LongConsumer ofNumbers, Consumer<ByteString> ofNames) {
      utf8.forEach(name -> ofNames.accept(ByteString.copyFrom(name)));
    }
  }
}
