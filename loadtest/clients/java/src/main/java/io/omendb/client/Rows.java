package io.omendb.client;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.omendb.proto.v1.InsertRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rows to be written.
 *
 * @param payloads one a row, opaque to the server; null: none
 */
public record Rows(Ids ids, Vectors vectors, @Nullable List<byte[]> payloads) {
  // InsertRequest and BulkInsertRequest have the same columns under the same numbers.
  private static final int NUMERIC_IDS = InsertRequest.NUMERIC_IDS_FIELD_NUMBER;
  private static final int STRING_IDS = InsertRequest.STRING_IDS_FIELD_NUMBER;
  private static final int VECTORS_LE = InsertRequest.VECTORS_LE_FIELD_NUMBER;
  private static final int PAYLOADS = InsertRequest.PAYLOADS_FIELD_NUMBER;

  /** Checks that the columns are of one length. */
  public Rows {
    if (ids.count() != vectors.count()) {
      throw new IllegalArgumentException(
          "vectors is %d rows, expected %d: one an id".formatted(vectors.count(), ids.count()));
    }
    if (payloads != null && payloads.size() != ids.count()) {
      throw new IllegalArgumentException(
          "payloads is %d long, expected %d: one an id".formatted(payloads.size(), ids.count()));
    }
  }

  /** Rows without payloads. */
  public static Rows of(Ids ids, Vectors vectors) {
    return new Rows(ids, vectors, null);
  }

  /** One row with a payload. */
  public static Rows of(long id, float[] vector, byte[] payload) {
    return new Rows(Ids.of(id), Vectors.of(vector), List.of(payload));
  }

  /** How many. */
  public int count() {
    return ids.count();
  }

  /** Some of them, in a row. */
  public Rows slice(int from, int to) {
    return new Rows(
        ids.slice(from, to),
        vectors.slice(from, to),
        payloads == null ? null : payloads.subList(from, to));
  }

  /**
   * The message: its other fields, encoded, then the columns. Fields may stand in any order, and so
   * the vectors are copied once, which a message of protobuf's own would do twice.
   */
  byte[] encode(byte[] head) {
    int vectorBytes = Math.toIntExact(vectors.floats().byteSize());
    byte[] message = new byte[Math.addExact(head.length, size(vectorBytes))];
    CodedOutputStream out = CodedOutputStream.newInstance(message);
    try {
      out.writeRawBytes(head);
      switch (ids) {
        case Ids.Numbers numbers -> {
          writeHeader(out, NUMERIC_IDS, numbers.count() * Long.BYTES);
          for (int i = numbers.from(); i < numbers.to(); i++) {
            out.writeFixed64NoTag(numbers.numbers()[i]);
          }
        }
        case Ids.Names names -> {
          for (byte[] name : names.utf8()) {
            out.writeByteArray(STRING_IDS, name);
          }
        }
      }
      if (payloads != null) {
        for (byte[] payload : payloads) {
          out.writeByteArray(PAYLOADS, payload);
        }
      }
      writeHeader(out, VECTORS_LE, vectorBytes);
    } catch (IOException e) {
      throw new UncheckedIOException("a message's size was computed wrong", e);
    }
    vectors.copyTo(message, message.length - vectorBytes);
    return message;
  }

  private int size(int vectorBytes) {
    long size = sized(VECTORS_LE, vectorBytes);
    size +=
        switch (ids) {
          case Ids.Numbers numbers -> sized(NUMERIC_IDS, numbers.count() * Long.BYTES);
          case Ids.Names names -> sizeOf(STRING_IDS, names.utf8());
        };
    return Math.toIntExact(payloads == null ? size : size + sizeOf(PAYLOADS, payloads));
  }

  private static long sizeOf(int field, List<byte[]> values) {
    return values.stream().mapToLong(value -> sized(field, value.length)).sum();
  }

  private static long sized(int field, int bytes) {
    return CodedOutputStream.computeTagSize(field)
        + CodedOutputStream.computeUInt32SizeNoTag(bytes)
        + (long) bytes;
  }

  private static void writeHeader(CodedOutputStream out, int field, int bytes) throws IOException {
    out.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
    out.writeUInt32NoTag(bytes);
  }
}
