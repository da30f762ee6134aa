package io.omendb.engine;

import io.omendb.index.hnsw.IndexFootprint;
import io.omendb.storage.StorageFootprint;

/**
 * Bytes that a collection takes.
 *
 * @param storage of its rows
 * @param index of codes, blocks and graph
 */
public record Footprint(StorageFootprint storage, IndexFootprint index) {
  /**
   * What a collection of {@code count} rows will take, all of them in the graph.
   *
   * @param payloadBytes of a payload, on average; 0 for none
   * @param stringIdBytes of an id, on average, where ids are strings
   */
  public static Footprint of(
      CollectionConfig config, long count, int payloadBytes, int stringIdBytes) {
    return new Footprint(
        StorageFootprint.of(config.toSchema(0), count, payloadBytes, stringIdBytes),
        IndexFootprint.of(config.indexParameters(), count));
  }

  /** Memory that searches touch: all but the index from id to row. */
  public long memoryBytes() {
    return storage.vectors() + storage.rows() + storage.heap() + index.bytes();
  }

  /** The most memory while {@code count} rows are loaded and built at once. */
  public long peakMemoryBytes(CollectionConfig config, long count) {
    long peak = index.peakBytes(config.indexParameters(), count);
    return memoryBytes() - index.bytes() + storage.idIndex() + peak;
  }

  /** Files once all is in the graph and its image, and nothing waits to be written. */
  public long diskBytes() {
    return storage.fileBytes() + index.imageBytes();
  }

  /**
   * The most that files take: an image is written anew beside the old one when as much as it has
   * been added to that.
   */
  public long peakDiskBytes() {
    return diskBytes() + 2 * index.imageBytes();
  }
}
