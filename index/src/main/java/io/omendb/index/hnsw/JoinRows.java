package io.omendb.index.hnsw;

import io.omendb.index.distance.WideRows;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.NativeInts;

/**
 * Rows of bytes that a bulk build compares many with many: codes, or projections of codes.
 *
 * @param address of the row of ordinal 0
 * @param stride bytes from row to row
 * @param dims bytes of a row that are compared
 */
record JoinRows(long address, int stride, int dims) {
  static JoinRows of(CodeTable codes) {
    return new JoinRows(codes.address(), codes.stride(), codes.quantizer().dimension());
  }

  /** Address of a row. */
  long row(int ordinal) {
    return address + (long) ordinal * stride;
  }

  /**
   * Copies the rows of a leaf's members, in its order.
   *
   * @param nodes by the partition's places
   */
  void ofLeaf(int leaf, Partition partition, NativeInts nodes, WideRows members) {
    int from = partition.leafStart(leaf);
    int size = partition.leafStart(leaf + 1) - from;
    members.resize(size);
    for (int i = 0; i < size; i++) {
      members.set(i, row(nodes.get(partition.member(from + i))));
    }
  }
}
