package io.omendb.index.hnsw;

import io.omendb.index.quantization.CodeTable;

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
}
