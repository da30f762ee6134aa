package io.omendb.index.hnsw;

import io.omendb.index.Similarity;
import io.omendb.index.distance.Kernels;
import io.omendb.index.quantization.CodeTable;

/**
 * Bytes of memory that an index takes, by what they are for.
 *
 * @param codes of the code table
 * @param blocks of the neighbour blocks
 * @param graph of the adjacency lists
 */
public record IndexFootprint(long codes, long blocks, long graph) {
  /** What an index of {@code count} nodes will take. */
  public static IndexFootprint of(HnswIndex.Parameters parameters, long count) {
    int dims = Kernels.paddedCodes(parameters.dimension());
    int bias = parameters.similarity() == Similarity.INNER_PRODUCT ? Integer.BYTES : 0;
    int maxDegree = HnswGraph.maxDegree0(parameters.m());
    return new IndexFootprint(
        count * (CodeTable.stride(dims) + bias),
        parameters.blocks() ? count * NeighborBlocks.stride(maxDegree, dims) : 0,
        HnswGraph.bytesFor(parameters.m(), count));
  }

  /** Bytes of memory. */
  public long bytes() {
    return codes + blocks + graph;
  }

  /** The most bytes while all of {@code count} nodes are built: blocks are written afterwards. */
  public long peakBytes(HnswIndex.Parameters parameters, long count) {
    long build = BulkLinker.builds(parameters) ? BulkLinker.bytesFor(parameters, count) : 0;
    return codes + graph + Math.max(blocks, build);
  }

  /** Bytes of an image: blocks are in none. */
  public long imageBytes() {
    return codes + graph;
  }
}
