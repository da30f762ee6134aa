package io.omendb.engine;

/**
 * What the engine puts before the graph in each section of an image: little-endian, 128 bytes.
 *
 * <pre>
 *  0  u64     magic "OMENIMG2"
 *  8  int32   linked rows at the calibration
 * 12  int32   1: it tried neighbour blocks; 0: it did not
 * 16  …       the calibration
 * 48  …       what serves while there are no blocks; all 0: the same
 * 80  …       0
 * 128 the graph: {@link io.omendb.index.hnsw.GraphImage}; in further sections its {@link
 *     io.omendb.index.hnsw.GraphChanges}
 *
 * a calibration:
 *  0  int32   default ef
 *  4  int32   what beams are scored on: the number of a {@link io.omendb.index.hnsw.Scoring}
 *  8  float64 recall@10 measured with it; NaN before the first calibration
 * 16  int32   default ef of a search for 100 rows; 0: not measured
 * 20  float32 reach of a default search; 0: none
 * 24  float32 that of a search for 100 rows; 0: none
 * 28  int32   1
 * </pre>
 */
final class ImageHeaderLayout {
  static final long MAGIC_VALUE = 0x3247_4D49_4E45_4D4FL;

  static final int MAGIC = 0;
  static final int CALIBRATED_AT = 8;
  static final int BLOCKS_TRIED = 12;
  static final int CALIBRATION = 16;
  static final int WITHOUT_BLOCKS = 48;
  static final int BYTES = 128;

  static final int EF = 0;
  static final int SCORING = 4;
  static final int RECALL = 8;
  static final int EF_OF_100 = 16;
  static final int REACH = 20;
  static final int REACH_OF_100 = 24;
  static final int PRESENT = 28;

  private ImageHeaderLayout() {}
}
