package io.omendb.engine;

/**
 * What the engine puts before the graph in each section of an image: little-endian, 64 bytes.
 *
 * <pre>
 *  0  u64     magic "OMENIMG1"
 *  8  int32   default ef
 * 12  int32   1: beams are scored on full vectors; 0: on codes
 * 16  float64 recall@10 measured with it; NaN before the first calibration
 * 24  int32   linked rows at the calibration
 * 28  int32   default ef of a search for 100 rows; 0: not measured
 * 32  float32 reach of a default search; 0: none
 * 36  float32 that of a search for 100 rows; 0: none
 * 40  …       0
 * 64  the graph: {@link io.omendb.index.hnsw.GraphImage}; in further sections its {@link
 *     io.omendb.index.hnsw.GraphChanges}
 * </pre>
 */
final class ImageHeaderLayout {
  static final long MAGIC_VALUE = 0x3147_4D49_4E45_4D4FL;

  static final int MAGIC = 0;
  static final int EF = 8;
  static final int ON_VECTORS = 12;
  static final int RECALL = 16;
  static final int CALIBRATED_AT = 24;
  static final int EF_OF_100 = 28;
  static final int REACH = 32;
  static final int REACH_OF_100 = 36;
  static final int BYTES = 64;

  private ImageHeaderLayout() {}
}
