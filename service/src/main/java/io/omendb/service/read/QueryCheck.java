package io.omendb.service.read;

import io.omendb.engine.CollectionConfig;
import io.omendb.engine.QueryNorm;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.proto.v1.VectorFormat;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusal.Violation;
import io.omendb.service.status.Refusals;
import io.omendb.service.wire.QueryMessage;
import io.omendb.storage.api.IdKind;
import java.util.List;

/// Checks the fields of a Search or SearchBatch, and the ids of a Get or Delete.
public final class QueryCheck {
  static final int K_MAX = 1_000;
  static final int EF_MAX = 4_096;
  static final int BATCH_MAX = 1_024;

  private QueryCheck() {}

  /// Throws what is wrong with the options that need no collection, if anything.
  static void checkOptions(QueryMessage query) throws Refusal {
    if (query.hasFilter()) {
      throw Refusals.notImplemented("filter");
    }
    if (query.k() < 1 || query.k() > K_MAX) {
      throw Refusals.outOfRange("k", Integer.toUnsignedLong(query.k()), "1 to " + K_MAX);
    }
    if (query.ef() < 0 || query.ef() > EF_MAX) {
      throw Refusals.outOfRange(
          "ef", Integer.toUnsignedLong(query.ef()), "1 to " + EF_MAX + ", or 0 for the default");
    }
    if (query.hasMaxDistance() && !Float.isFinite(query.maxDistance())) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_NOT_FINITE,
          "max_distance",
          Float.toString(query.maxDistance()),
          "finite");
    }
    checkFormat(query.vectorFormat());
  }

  /// Throws if field `vector_format` has a number that is not known.
  public static void checkFormat(int vectorFormat) throws Refusal {
    VectorFormat format = VectorFormat.forNumber(vectorFormat);
    if (format == null) {
      throw Refusals.unknownEnum("vector_format", vectorFormat);
    }
  }

  /// Throws what is wrong with the vectors, if anything; returns how many queries there are.
  static int checkVectors(QueryMessage query, CollectionConfig config, boolean batch)
      throws Refusal {
    String floats = batch ? "vectors" : "vector";
    String bytes = batch ? "vectors_le" : "vector_le";
    if (query.hasBothTwins()) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_VECTORS_AMBIGUOUS,
          bytes,
          "set beside " + floats,
          "one of the two");
    }
    int length = query.vectorBytes();
    if (length == 0) {
      throw Refusals.required(floats);
    }
    String field = query.hasLittleEndianBytes() ? bytes : floats;
    if (length % Float.BYTES != 0) {
      throw mismatch(field, length + " bytes", "a multiple of 4 bytes");
    }
    int components = length / Float.BYTES;
    int dimension = config.dimension();
    if (!batch && components != dimension) {
      throw mismatch(field, components + " components", dimension + " components");
    }
    if (components % dimension != 0) {
      throw mismatch(field, components + " components", "a multiple of the dimension " + dimension);
    }
    int count = components / dimension;
    if (count > BATCH_MAX) {
      throw Refusals.outOfRange(field, count, "1 to " + BATCH_MAX + " queries");
    }
    checkValues(query, config, field, batch, count);
    return count;
  }

  private static void checkValues(
      QueryMessage query, CollectionConfig config, String field, boolean batch, int count)
      throws Refusal {
    float[] values = query.queries();
    int dimension = config.dimension();
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < dimension; j++) {
        float value = values[i * dimension + j];
        if (!Float.isFinite(value)) {
          String path = field + (batch ? "[" + i + "]" : "") + "[" + j + "]";
          throw invalid(
              ErrorReason.ERROR_REASON_NOT_FINITE, i, path, Float.toString(value), "finite");
        }
      }
      float squaredNorm = QueryNorm.squared(values, i * dimension, dimension);
      if (!QueryNorm.isValid(squaredNorm, config.similarity())) {
        throw invalid(
            squaredNorm < 1
                ? ErrorReason.ERROR_REASON_ZERO_NORM
                : ErrorReason.ERROR_REASON_NOT_FINITE,
            i,
            batch ? field + "[" + i + "]" : field,
            "a vector of squared norm " + squaredNorm,
            QueryNorm.expected(config.similarity()));
      }
    }
  }

  private static Refusal mismatch(String field, String value, String expected) {
    return Refusal.invalid(ErrorReason.ERROR_REASON_DIMENSION_MISMATCH, field, value, expected);
  }

  private static Refusal invalid(
      ErrorReason reason, int index, String field, String value, String expected) {
    return Refusal.invalid(reason, List.of(new Violation(index, field, value, expected)), 1);
  }

  /// Throws if the ids of a request are not of the collection's kind, none, or more than `most`.
  public static void checkIds(CollectionConfig config, int numericIds, int stringIds, int most)
      throws Refusal {
    boolean numeric = config.idKind() == IdKind.NUMERIC;
    String field = numeric ? "numeric_ids" : "string_ids";
    if ((numeric ? stringIds : numericIds) > 0) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_ID_KIND_MISMATCH,
          numeric ? "string_ids" : "numeric_ids",
          "set",
          field + " only, the kind of this collection");
    }
    int count = numericIds + stringIds;
    if (count == 0) {
      throw Refusals.required(field);
    }
    if (count > most) {
      throw Refusals.outOfRange(field, count, "1 to " + most + " ids");
    }
  }
}
