package io.omendb.index.hnsw;

/**
 * The bytes of an index in a file. Little-endian:
 *
 * <pre>
 *  0  int64  magic "OMGRAPH1"
 *  8  int32  m
 * 12  int32  dimension
 * 16  int32  similarity (its code)
 * 20  int32  bound: one more than the largest ordinal
 * 24  int64  entry: level in the high half, ordinal in the low; −1 for none
 * 32  int32  lists in upper
 * 36  int32  linked nodes
 * 40  int32  rows there were at the quantizer's fit
 * 44  int32  number of the rotation that codes were made with; 0: none
 * 48  float  the quantizer's norm bound
 * 52  float  its scale
 * 56  int32  stride of a level-0 list, bytes
 * 60  int32  stride of a code row, bytes
 * 64  float[dimension]   the quantizer's low, padded to 64 bytes
 *     int8[bound]               levels
 *     int32[bound]              first upper list of each node
 *     int32[lists · m]          upper
 *     int32[bound · stride / 4] level 0
 *     int8[bound · stride]      codes
 *     int32[bound]              biases, of a biased quantizer
 * </pre>
 */
final class GraphImageLayout {
  static final long MAGIC_VALUE = 0x3148_5041_5247_4D4FL;

  static final int MAGIC = 0;
  static final int M = 8;
  static final int DIMENSION = 12;
  static final int SIMILARITY = 16;
  static final int BOUND = 20;
  static final int ENTRY = 24;
  static final int UPPER_LISTS = 32;
  static final int LINKED = 36;
  static final int FITTED_ROWS = 40;
  static final int ROTATION = 44;
  static final int NORM_BOUND = 48;
  static final int SCALE = 52;
  static final int STRIDE0 = 56;
  static final int CODE_STRIDE = 60;
  static final int HEADER_BYTES = 64;

  private GraphImageLayout() {}

  /** Bytes of the quantizer's low, padded. */
  static long lowBytes(int dimension) {
    return (4L * dimension + HEADER_BYTES - 1) / HEADER_BYTES * HEADER_BYTES;
  }
}
