package io.omendb.service.wire;

import com.google.protobuf.WireFormat;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.InsertRequest;

/// Reads an InsertRequest or a BulkInsertRequest: walks the headers and notes where the columns
/// lie.
///
/// Passes over payloads and vectors without touching them; ids and names are checked to be UTF-8.
final class RowsReader {
  private RowsReader() {}

  /// Reads the message whose fragments `message` holds into its fields. `bulk`: with the fields of
  /// BulkInsertRequest that InsertRequest does not have.
  static void read(RowsMessage message, boolean bulk) throws MalformedMessageException {
    message.clear();
    WireReader wire = message.wire();
    wire.start();
    for (int tag = wire.readTag(); tag != 0; tag = wire.readTag()) {
      if (!readColumn(message, wire, tag) && !(bulk && readOpening(message, wire, tag))) {
        wire.skipUnknown(tag);
      }
    }
  }

  private static boolean readColumn(RowsMessage message, WireReader wire, int tag)
      throws MalformedMessageException {
    switch (tag) {
      case InsertRequest.COLLECTION_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED ->
          message.collection = readName(message, wire, message.collectionNames);
      case InsertRequest.MODE_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
          message.mode = (int) wire.readVarint();
      case InsertRequest.NUMERIC_IDS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED ->
          readRun(wire, message.numericIds, Long.BYTES);
      case InsertRequest.NUMERIC_IDS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_FIXED64 ->
          readElement(wire, message.numericIds, Long.BYTES);
      case InsertRequest.STRING_IDS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
        int length = wire.readLength();
        message.stringIds.add(wire.offset(), length);
        wire.skipUtf8(length);
      }
      case InsertRequest.VECTORS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED ->
          readRun(wire, message.vectors, Float.BYTES);
      case InsertRequest.VECTORS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_FIXED32 ->
          readElement(wire, message.vectors, Float.BYTES);
      case InsertRequest.VECTORS_LE_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
        // Not repeated: the last one wins, even if it is empty.
        message.vectorsLe.clear();
        int length = wire.readLength();
        message.vectorsLe.add(wire.offset(), length);
        wire.skip(length);
      }
      case InsertRequest.PAYLOADS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
        int length = wire.readLength();
        message.payloads.add(wire.offset(), length);
        wire.skip(length);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private static boolean readOpening(RowsMessage message, WireReader wire, int tag)
      throws MalformedMessageException {
    switch (tag) {
      case BulkInsertRequest.FRAME_SEQUENCE_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
          message.frameSequence = wire.readVarint();
      case BulkInsertRequest.STREAM_ID_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED ->
          message.streamId = readName(message, wire, message.streamIds);
      case BulkInsertRequest.RESUME_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
          message.resume = wire.readVarint() != 0;
      case BulkInsertRequest.VISIBILITY_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
          message.visibility = (int) wire.readVarint();
      case BulkInsertRequest.EXPECTED_COUNT_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
          message.expectedCount = wire.readVarint();
      case BulkInsertRequest.WAIT_SEARCHABLE_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
          message.waitSearchable = wire.readVarint() != 0;
      default -> {
        return false;
      }
    }
    return true;
  }

  private static String readName(RowsMessage message, WireReader wire, NameCache cache)
      throws MalformedMessageException {
    int length = wire.readLength();
    int offset = wire.offset();
    wire.skipUtf8(length);
    return cache.get(message.fragments, offset, length);
  }

  private static void readRun(WireReader wire, Spans runs, int size)
      throws MalformedMessageException {
    int length = wire.readPackedLength(size);
    if (length > 0) {
      runs.add(wire.offset(), length);
    }
    wire.skip(length);
  }

  private static void readElement(WireReader wire, Spans runs, int size)
      throws MalformedMessageException {
    int offset = wire.offset();
    wire.skip(size);
    runs.add(offset, size);
  }
}
