package io.omendb.index.hnsw;

import io.omendb.index.distance.NearestRows;
import io.omendb.index.distance.Panel;
import io.omendb.index.distance.WideRows;
import io.omendb.memory.NativeInts;

/** Whether rows of two kinds have the same nearest within leaves. Of one thread. */
final class LeafAgreement {
  private final NativeInts nodes;
  private final Partition partition;
  private long both;
  private long all;

  LeafAgreement(NativeInts nodes, Partition partition) {
    this.nodes = nodes;
    this.partition = partition;
  }

  /** Of the nearest by the one, the share that is nearest by the other. */
  double share() {
    return all == 0 ? 1 : (double) both / all;
  }

  /** Compares what some members of a leaf find among all. */
  void add(int leaf, JoinRows rows, JoinRows others) {
    NearestRows nearest = nearest(leaf, rows);
    NearestRows otherNearest = nearest(leaf, others);
    for (int lane = 0; lane < Math.min(Panel.LANES, size(leaf)); lane++) {
      for (int rank = 0; rank < NearestRows.RANKS && nearest.row(rank, lane) >= 0; rank++) {
        all++;
        both += has(otherNearest, lane, nearest.row(rank, lane)) ? 1 : 0;
      }
    }
  }

  private static boolean has(NearestRows nearest, int lane, int row) {
    for (int rank = 0; rank < NearestRows.RANKS; rank++) {
      if (nearest.row(rank, lane) == row) {
        return true;
      }
    }
    return false;
  }

  private int size(int leaf) {
    return partition.leafStart(leaf + 1) - partition.leafStart(leaf);
  }

  private NearestRows nearest(int leaf, JoinRows rows) {
    int size = size(leaf);
    WideRows members = new WideRows(rows.dims());
    rows.ofLeaf(leaf, partition, nodes, members);
    Panel panel = new Panel(rows.dims());
    members.copyTo(panel, 0, Math.min(Panel.LANES, size));
    NearestRows nearest = new NearestRows();
    nearest.find(members, size, panel, 0);
    return nearest;
  }
}
