package io.omendb.service.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.Filter;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.SearchRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.random.RandomGenerator;

/// Messages as clients write them, as they may write them, and as no one should.
final class RandomMessages {
  private static final String[] NAMES = {"", "a", "photos", "naïve", "日本語", "😀", "x".repeat(200)};

  private final RandomGenerator random;

  RandomMessages(RandomGenerator random) {
    this.random = random;
  }

  InsertRequest insert() {
    InsertRequest.Builder message = InsertRequest.newBuilder();
    if (random.nextBoolean()) {
      message.setCollection(name());
    }
    message.setModeValue(random.nextInt(6) - 1);
    int rows = random.nextInt(5);
    for (int i = 0; i < rows; i++) {
      if (random.nextInt(4) != 0) {
        message.addNumericIds(random.nextLong());
      }
      if (random.nextInt(3) == 0) {
        message.addStringIds(name());
      }
      if (random.nextInt(3) == 0) {
        message.addPayloads(bytes(random.nextInt(20)));
      }
    }
    if (random.nextInt(3) == 0) {
      message.setVectorsLe(bytes(random.nextInt(40)));
    }
    int floats = random.nextInt(12);
    for (int i = 0; i < floats; i++) {
      message.addVectors(Float.intBitsToFloat(random.nextInt()));
    }
    return message.build();
  }

  BulkInsertRequest bulkInsert() {
    InsertRequest columns = insert();
    return BulkInsertRequest.newBuilder()
        .setCollection(columns.getCollection())
        .setModeValue(columns.getModeValue())
        .addAllNumericIds(columns.getNumericIdsList())
        .addAllStringIds(columns.getStringIdsList())
        .addAllVectors(columns.getVectorsList())
        .setVectorsLe(columns.getVectorsLe())
        .addAllPayloads(columns.getPayloadsList())
        .setFrameSequence(random.nextLong() >>> random.nextInt(64))
        .setStreamId(random.nextBoolean() ? name() : "")
        .setResume(random.nextBoolean())
        .setVisibilityValue(random.nextInt(4) - 1)
        .setExpectedCount(random.nextLong() >>> random.nextInt(64))
        .setWaitSearchable(random.nextBoolean())
        .build();
  }

  SearchRequest search() {
    SearchRequest.Builder message = SearchRequest.newBuilder().setCollection(name());
    message.setK(random.nextInt() >>> random.nextInt(32)).setEf(random.nextInt(100));
    message.setExact(random.nextBoolean()).setExplain(random.nextBoolean());
    int floats = random.nextInt(12);
    for (int i = 0; i < floats; i++) {
      message.addVector(Float.intBitsToFloat(random.nextInt()));
    }
    if (random.nextInt(3) == 0) {
      message.setVectorLe(bytes(random.nextInt(40)));
    }
    if (random.nextBoolean()) {
      message.setMaxDistance(Float.intBitsToFloat(random.nextInt()));
    }
    if (random.nextInt(4) == 0) {
      message.setFilter(Filter.getDefaultInstance());
    }
    message.setMinVisibleSequence(random.nextLong() >>> random.nextInt(64));
    message.setIncludeVectors(random.nextBoolean()).setIncludePayloads(random.nextBoolean());
    return message.setVectorFormatValue(random.nextInt(4) - 1).build();
  }

  /// Records of the message's own field numbers and others, in any order, with any wire type,
  /// packed and unpacked; most of it well formed.
  byte[] records() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      int records = random.nextInt(10);
      for (int i = 0; i < records; i++) {
        record(out, 1 + random.nextInt(random.nextInt(10) == 0 ? 40_000 : 15), 0);
      }
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private void record(CodedOutputStream out, int number, int depth) throws IOException {
    int type = random.nextInt(30) == 0 ? random.nextInt(8) : wireType(number, depth);
    int tag = number << 3 | type;
    if (random.nextInt(20) == 0) {
      paddedVarint(out, Integer.toUnsignedLong(tag));
    } else {
      out.writeUInt32NoTag(tag);
    }
    switch (type) {
      case 0 -> varint(out);
      case 1 -> out.writeFixed64NoTag(random.nextLong());
      case 2 -> {
        byte[] value = random.nextBoolean() ? bytes(4 * random.nextInt(9)).toByteArray() : text();
        out.writeUInt32NoTag(value.length);
        out.writeRawBytes(value);
      }
      case 3 -> {
        int inner = random.nextInt(3);
        for (int i = 0; i < inner; i++) {
          record(out, 1 + random.nextInt(20), depth + 1);
        }
        out.writeUInt32NoTag((random.nextInt(20) == 0 ? number + 1 : number) << 3 | 4);
      }
      case 5 -> out.writeFixed32NoTag(random.nextInt());
      default -> {}
    }
  }

  private int wireType(int number, int depth) {
    if (random.nextInt(3) == 0) {
      return new int[] {0, 1, 2, 5, depth < 4 ? 3 : 0}[random.nextInt(5)];
    }
    return switch (number) {
      case 3 -> random.nextBoolean() ? 1 : 2;
      case 5 -> random.nextBoolean() ? 5 : 2;
      case 7 -> random.nextBoolean() ? 5 : 2;
      case 2, 8, 10, 11, 13 -> 0;
      default -> 2;
    };
  }

  private void varint(CodedOutputStream out) throws IOException {
    long value = random.nextLong() >>> random.nextInt(64);
    if (random.nextInt(4) == 0) {
      paddedVarint(out, value);
    } else {
      out.writeUInt64NoTag(value);
    }
  }

  /// A varint of more bytes than it needs, now and then of one more than are allowed.
  private void paddedVarint(CodedOutputStream out, long value) throws IOException {
    int length = random.nextInt(30) == 0 ? 11 : 10;
    for (int i = 0; i < length - 1; i++) {
      out.writeRawByte((byte) (value | 0x80));
      value >>>= 7;
    }
    out.writeRawByte((byte) (value & 0x7f));
  }

  /// Flips, cuts, doubles or inserts bytes.
  byte[] mutate(byte[] message) {
    byte[] mutant = message.clone();
    int times = 1 + random.nextInt(3);
    for (int i = 0; i < times && mutant.length > 0; i++) {
      int at = random.nextInt(mutant.length);
      switch (random.nextInt(5)) {
        case 0 -> mutant[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> mutant[at] = (byte) random.nextInt();
        case 2 -> mutant = java.util.Arrays.copyOf(mutant, at);
        case 3 -> mutant = splice(mutant, at, new byte[] {(byte) random.nextInt()});
        default -> mutant = splice(mutant, at, java.util.Arrays.copyOf(mutant, at));
      }
    }
    return mutant;
  }

  private static byte[] splice(byte[] into, int at, byte[] piece) {
    byte[] spliced = new byte[into.length + piece.length];
    System.arraycopy(into, 0, spliced, 0, at);
    System.arraycopy(piece, 0, spliced, at, piece.length);
    System.arraycopy(into, at, spliced, at + piece.length, into.length - at);
    return spliced;
  }

  private String name() {
    return NAMES[random.nextInt(NAMES.length)];
  }

  private byte[] text() {
    byte[] text = name().getBytes(java.nio.charset.StandardCharsets.UTF_8);
    if (text.length > 0 && random.nextInt(6) == 0) {
      text[random.nextInt(text.length)] = (byte) random.nextInt();
    }
    return text;
  }

  private ByteString bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return ByteString.copyFrom(bytes);
  }
}
