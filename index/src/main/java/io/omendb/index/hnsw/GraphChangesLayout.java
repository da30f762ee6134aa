package io.omendb.index.hnsw;

/**
 * The bytes of what is added to an index in a file: the nodes that changed since. Little-endian:
 *
 * <pre>
 *  0  int64  magic "OMGRAPHC"
 *  8  int32  bound: one more than the largest ordinal
 * 12  int32  lists in upper
 * 16  int64  entry, as in {@link GraphImageLayout}
 * 24  int32  linked nodes
 * 28  int32  nodes that follow
 * 32  int32  stride of a level-0 list, bytes
 * 36  int32  stride of a code row, bytes
 * 40  …      0
 * 64  the nodes, ascending:
 *      0  int32  ordinal
 *      4  int8   level, as {@link HnswGraph} has it
 *      5  int8   1: new, its code follows
 *      6  int16  0
 *      8  int32  first upper list
 *     12  int32[stride / 4] level 0
 *         int32[level · m]  upper levels
 *         int8[stride]      code of a new node
 *         int32             its bias, of a biased quantizer
 * </pre>
 */
final class GraphChangesLayout {
  static final long MAGIC_VALUE = 0x4348_5041_5247_4D4FL;

  static final int MAGIC = 0;
  static final int BOUND = 8;
  static final int UPPER_LISTS = 12;
  static final int ENTRY = 16;
  static final int LINKED = 24;
  static final int NODES = 28;
  static final int STRIDE0 = 32;
  static final int CODE_STRIDE = 36;
  static final int HEADER_BYTES = 64;

  static final int NODE_ORDINAL = 0;
  static final int NODE_LEVEL = 4;
  static final int NODE_NEW = 5;
  static final int NODE_UPPER_AT = 8;
  static final int NODE_HEADER_BYTES = 12;

  private GraphChangesLayout() {}
}
