package io.omendb.engine;

import io.omendb.index.hnsw.GraphImage;
import io.omendb.index.hnsw.Scoring;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What a section of an image says beside the graph; see {@link ImageHeaderLayout}.
 *
 * @param calibration what a search does that names no ef
 * @param blocksTried whether it was chosen with blocks to choose from
 * @param calibratedAt linked rows then
 */
record ImageHeader(Calibration calibration, boolean blocksTried, int calibratedAt) {
  void write(GraphImage.Output output) throws IOException {
    try (AddressSpace header = AddressSpace.reserve(ImageHeaderLayout.BYTES)) {
      header.commit(ImageHeaderLayout.BYTES);
      long h = header.address();
      Memory.putLong(h + ImageHeaderLayout.MAGIC, ImageHeaderLayout.MAGIC_VALUE);
      Memory.putInt(h + ImageHeaderLayout.CALIBRATED_AT, calibratedAt);
      Memory.putInt(h + ImageHeaderLayout.BLOCKS_TRIED, blocksTried ? 1 : 0);
      put(calibration, h + ImageHeaderLayout.CALIBRATION);
      Calibration withoutBlocks = calibration.withoutBlocks();
      if (withoutBlocks != null) {
        put(withoutBlocks, h + ImageHeaderLayout.WITHOUT_BLOCKS);
      }
      output.write(h, ImageHeaderLayout.BYTES);
    }
  }

  private static void put(Calibration calibration, long at) {
    Memory.putInt(at + ImageHeaderLayout.EF, calibration.ef());
    Memory.putInt(at + ImageHeaderLayout.SCORING, calibration.scoring().code());
    Memory.putLong(at + ImageHeaderLayout.RECALL, Double.doubleToRawLongBits(calibration.recall()));
    Memory.putInt(at + ImageHeaderLayout.EF_OF_100, calibration.efOf100());
    Memory.putFloat(at + ImageHeaderLayout.REACH, calibration.reach());
    Memory.putFloat(at + ImageHeaderLayout.REACH_OF_100, calibration.reachOf100());
    Memory.putInt(at + ImageHeaderLayout.PRESENT, 1);
  }

  /** Reads what a section begins with; null: it is none of ours. */
  static @Nullable ImageHeader read(GraphImage.Input input) throws IOException {
    try (AddressSpace header = AddressSpace.reserve(ImageHeaderLayout.BYTES)) {
      header.commit(ImageHeaderLayout.BYTES);
      long h = header.address();
      input.read(h, ImageHeaderLayout.BYTES);
      if (Memory.getLong(h + ImageHeaderLayout.MAGIC) != ImageHeaderLayout.MAGIC_VALUE) {
        return null;
      }
      Calibration withoutBlocks = get(h + ImageHeaderLayout.WITHOUT_BLOCKS, null);
      Calibration calibration = get(h + ImageHeaderLayout.CALIBRATION, withoutBlocks);
      return calibration == null
          ? null
          : new ImageHeader(
              calibration,
              Memory.getInt(h + ImageHeaderLayout.BLOCKS_TRIED) != 0,
              Memory.getInt(h + ImageHeaderLayout.CALIBRATED_AT));
    }
  }

  private static @Nullable Calibration get(long at, @Nullable Calibration withoutBlocks) {
    if (Memory.getInt(at + ImageHeaderLayout.PRESENT) == 0) {
      return null;
    }
    return new Calibration(
        Memory.getInt(at + ImageHeaderLayout.EF),
        Memory.getInt(at + ImageHeaderLayout.EF_OF_100),
        Scoring.ofCode(Memory.getInt(at + ImageHeaderLayout.SCORING)),
        Memory.getFloat(at + ImageHeaderLayout.REACH),
        Memory.getFloat(at + ImageHeaderLayout.REACH_OF_100),
        Double.longBitsToDouble(Memory.getLong(at + ImageHeaderLayout.RECALL)),
        withoutBlocks);
  }
}
