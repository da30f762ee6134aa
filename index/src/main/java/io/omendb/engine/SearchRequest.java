package io.omendb.engine;

import java.util.function.BooleanSupplier;

/** One search; a reusable holder, owned by the searching thread. */
public final class SearchRequest {
  /** Somebody waits to the end. */
  public static final BooleanSupplier NEVER = () -> false;

  /** The query; its first {@code dimension} components are read. */
  public float[] query = new float[0];

  /** Rows wanted, at least 1. */
  public int k = 10;

  /** Beam of the graph search; 0 for the collection's calibrated default. */
  public int ef;

  /** Compares every visible row instead of using the graph. */
  public boolean exact;

  /** Whether nobody waits for the answer any more; asked now and then while rows are scanned. */
  public BooleanSupplier abandoned = NEVER;

  /** Rows farther than this are left out. */
  public float maxDistance = Float.POSITIVE_INFINITY;
}
