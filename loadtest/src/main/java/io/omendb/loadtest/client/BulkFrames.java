package io.omendb.loadtest.client;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.omendb.loadtest.data.Vectors;
import io.omendb.proto.v1.BulkInsertRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The frames by which the rows of a set travel in a number of streams: frame after frame of
 * consecutive rows, dealt out to the streams in turn. A row's number is its id; vectors go as
 * bytes.
 */
public final class BulkFrames implements AutoCloseable {

  /** Above this the frames are encoded while they are sent. */
  private static final long ENCODED_AHEAD_BYTES_MAX = 4L << 30;

  private final Vectors rows;
  private final String collection;
  private final BulkOptions options;
  private final Arena arena = Arena.ofShared();
  private final RawMessage[] encoded;

  /** Plans the frames. */
  public BulkFrames(Vectors rows, String collection, BulkOptions options) {
    this.rows = rows;
    this.collection = collection;
    this.options = options;
    this.encoded = new RawMessage[frameCount()];
  }

  /** Encodes all frames before the clock starts, if memory allows. They lie outside the heap. */
  public void encodeAhead() {
    long rowBytes = (long) rows.dimension() * Float.BYTES + Long.BYTES;
    if (rows.count() * rowBytes > ENCODED_AHEAD_BYTES_MAX) {
      return;
    }
    for (int frame = 0; frame < encoded.length; frame++) {
      byte[] bytes = encode(frame);
      MemorySegment copy = arena.allocate(bytes.length);
      MemorySegment.copy(bytes, 0, copy, ValueLayout.JAVA_BYTE, 0, bytes.length);
      encoded[frame] = new RawMessage(copy);
    }
  }

  /** Frames of all streams. */
  public int frameCount() {
    return Math.ceilDiv(rows.count(), options.frameVectors());
  }

  /** Frames of one stream. */
  public int frameCount(int stream) {
    return Math.ceilDiv(frameCount() - stream, options.streams());
  }

  /** Rows in the first frames of a stream. */
  public int rowsUpTo(int stream, long frames) {
    if (frames == 0) {
      return 0;
    }
    int last = stream + (int) (frames - 1) * options.streams();
    return (int) (frames - 1) * options.frameVectors() + rowsOf(last);
  }

  /** A frame of a stream, counted from 0. */
  public RawMessage frame(int stream, int index) {
    int frame = stream + index * options.streams();
    RawMessage ready = encoded[frame];
    return ready != null ? ready : RawMessage.of(encode(frame));
  }

  private int rowsOf(int frame) {
    int from = frame * options.frameVectors();
    return Math.min(options.frameVectors(), rows.count() - from);
  }

  private byte[] encode(int frame) {
    int from = frame * options.frameVectors();
    int n = rowsOf(frame);
    byte[] opening = frame < options.streams() ? opening() : new byte[0];
    int idBytes = n * Long.BYTES;
    int vectorBytes = n * rows.dimension() * Float.BYTES;
    int size =
        opening.length
            + lengthDelimitedSize(BulkInsertRequest.NUMERIC_IDS_FIELD_NUMBER, idBytes)
            + lengthDelimitedSize(BulkInsertRequest.VECTORS_LE_FIELD_NUMBER, vectorBytes);
    byte[] message = new byte[size];
    CodedOutputStream out = CodedOutputStream.newInstance(message);
    try {
      out.writeRawBytes(opening);
      writeHeader(out, BulkInsertRequest.NUMERIC_IDS_FIELD_NUMBER, idBytes);
      for (int i = 0; i < n; i++) {
        out.writeFixed64NoTag(from + i);
      }
      writeHeader(out, BulkInsertRequest.VECTORS_LE_FIELD_NUMBER, vectorBytes);
    } catch (IOException e) {
      throw new UncheckedIOException("a frame's size was computed wrong", e);
    }
    long rowBytes = (long) rows.dimension() * Float.BYTES;
    rows.copy(from, n, MemorySegment.ofArray(message), size - vectorBytes, rowBytes);
    return message;
  }

  private byte[] opening() {
    return BulkInsertRequest.newBuilder()
        .setCollection(collection)
        .setVisibility(options.visibility())
        .setExpectedCount(rows.count())
        .setWaitSearchable(true)
        .build()
        .toByteArray();
  }

  private static int lengthDelimitedSize(int field, int bytes) {
    return CodedOutputStream.computeTagSize(field)
        + CodedOutputStream.computeUInt32SizeNoTag(bytes)
        + bytes;
  }

  private static void writeHeader(CodedOutputStream out, int field, int bytes) throws IOException {
    out.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
    out.writeUInt32NoTag(bytes);
  }

  /** Frees the encoded frames; no call may still be sending one. */
  @Override
  public void close() {
    arena.close();
  }
}
