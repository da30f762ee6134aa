package io.omendb.service.write;

import io.omendb.engine.CollectionConfig;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.proto.v1.WriteMode;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusal.Violation;
import io.omendb.service.status.Refusals;
import io.omendb.service.wire.RowsMessage;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.WriteLimits;
import java.util.ArrayList;
import java.util.List;

/// Checks that the columns of a block of rows fit together and fit their collection.
///
/// What is left for the engine is what only the vectors' values tell, which are not looked at
/// before they are where they stay.
final class RowsCheck {
  /// Most rows of a message. Less than the engine takes: a message has 16 MiB by default.
  static final int ROWS_MAX = 65_536;

  private RowsCheck() {}

  /// Throws what is wrong with `rows`, if anything.
  static void check(RowsMessage rows, CollectionConfig config) throws Refusal {
    checkIds(rows, config.idKind());
    checkVectors(rows, config.dimension());
    checkPayloads(rows);
  }

  /// Name of the twin that the vectors came in.
  static String vectorField(RowsMessage rows) {
    return rows.hasVectorsLe() ? "vectors_le" : "vectors";
  }

  /// The write mode of field `mode`.
  static io.omendb.storage.api.WriteMode mode(int value) throws Refusal {
    WriteMode mode = WriteMode.forNumber(value);
    return switch (mode) {
      case WRITE_MODE_UNSPECIFIED, WRITE_MODE_UPSERT -> io.omendb.storage.api.WriteMode.UPSERT;
      case WRITE_MODE_INSERT_ONLY -> io.omendb.storage.api.WriteMode.INSERT_ONLY;
      case WRITE_MODE_UPDATE_ONLY -> io.omendb.storage.api.WriteMode.UPDATE_ONLY;
      case null, default -> throw Refusals.unknownEnum("mode", value);
    };
  }

  private static void checkIds(RowsMessage rows, IdKind kind) throws Refusal {
    boolean numeric = kind == IdKind.NUMERIC;
    String field = numeric ? "numeric_ids" : "string_ids";
    if ((numeric ? rows.stringIdCount() : rows.numericIdCount()) > 0) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_ID_KIND_MISMATCH,
          numeric ? "string_ids" : "numeric_ids",
          "set",
          field + " only, the kind of this collection");
    }
    int count = rows.count();
    if (count == 0) {
      throw Refusals.required(field);
    }
    if (count > ROWS_MAX) {
      throw Refusals.outOfRange(field, count, "1 to " + ROWS_MAX + " ids");
    }
    if (!numeric) {
      checkStringIds(rows, count);
    }
  }

  private static void checkStringIds(RowsMessage rows, int count) throws Refusal {
    List<Violation> violations = new ArrayList<>();
    int faults = 0;
    for (int row = 0; row < count; row++) {
      int length = rows.stringIdLength(row);
      if (length < 1 || length > WriteLimits.MAX_STRING_ID_BYTES) {
        faults++;
        if (violations.size() < Refusal.VIOLATIONS_MAX) {
          violations.add(
              new Violation(
                  row,
                  "string_ids[" + row + "]",
                  length + " bytes",
                  "1 to " + WriteLimits.MAX_STRING_ID_BYTES + " bytes"));
        }
      }
    }
    if (faults > 0) {
      throw Refusal.invalid(ErrorReason.ERROR_REASON_INVALID_ID, violations, faults);
    }
  }

  private static void checkVectors(RowsMessage rows, int dimension) throws Refusal {
    if (rows.hasBothTwins()) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_VECTORS_AMBIGUOUS,
          "vectors_le",
          "set beside vectors",
          "one of the two");
    }
    int bytes = rows.vectorBytes();
    if (bytes == 0) {
      throw Refusals.required("vectors");
    }
    String field = vectorField(rows);
    if (bytes % Float.BYTES != 0) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_DIMENSION_MISMATCH,
          field,
          bytes + " bytes",
          "a multiple of 4 bytes");
    }
    int components = bytes / Float.BYTES;
    int count = rows.count();
    if (components % dimension != 0) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_DIMENSION_MISMATCH,
          field,
          components + " components",
          "a multiple of the dimension " + dimension);
    }
    if (components / dimension != count) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_COLUMN_LENGTH_MISMATCH,
          field,
          components / dimension + " vectors",
          count + ", one an id");
    }
  }

  private static void checkPayloads(RowsMessage rows) throws Refusal {
    int count = rows.payloadCount();
    if (count == 0) {
      return;
    }
    if (count != rows.count()) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_COLUMN_LENGTH_MISMATCH,
          "payloads",
          count + " payloads",
          "none, or " + rows.count() + ", one an id");
    }
    List<Violation> violations = new ArrayList<>();
    int faults = 0;
    for (int row = 0; row < count; row++) {
      int length = rows.payloadLength(row);
      if (length > WriteLimits.MAX_PAYLOAD_BYTES) {
        faults++;
        if (violations.size() < Refusal.VIOLATIONS_MAX) {
          violations.add(
              new Violation(
                  row,
                  "payloads[" + row + "]",
                  length + " bytes",
                  "at most " + WriteLimits.MAX_PAYLOAD_BYTES + " bytes"));
        }
      }
    }
    if (faults > 0) {
      throw Refusal.invalid(ErrorReason.ERROR_REASON_OUT_OF_RANGE, violations, faults);
    }
  }
}
