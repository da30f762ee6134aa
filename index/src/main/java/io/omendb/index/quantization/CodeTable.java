package io.omendb.index.quantization;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;

/**
 * The codes of a graph's nodes in one contiguous range: code row of an ordinal at {@code address()
 * + ordinal · stride()}, padded with zeros.
 *
 * <p>One writer at a time ({@link #ensure}, {@link #encode} of distinct ordinals from several
 * threads); readers may read every row whose ordinal they learned from the graph. A refit makes a
 * new table; the old one is closed when its last reader has gone.
 */
public final class CodeTable implements AutoCloseable {
  private final Quantizer quantizer;
  private final AddressSpace space;
  private final AddressSpace biases;
  private final int dims;
  private final int stride;
  private final int shift;

  /**
   * @param maxBytes addresses to reserve
   */
  public CodeTable(Quantizer quantizer, long maxBytes) {
    this.quantizer = quantizer;
    this.dims = quantizer.paddedCodes();
    this.stride = stride(dims);
    this.shift = quantizer.shift();
    this.space = AddressSpace.reserve(maxBytes);
    this.biases = AddressSpace.reserve(maxBytes / stride * Integer.BYTES);
  }

  /** What made the codes. */
  public Quantizer quantizer() {
    return quantizer;
  }

  /** Address of the row of ordinal 0. */
  public long address() {
    return space.address();
  }

  /** Codes of a row, padding included. */
  public int dims() {
    return dims;
  }

  /** Bytes from row to row; rows longer than half a cache line start on one. */
  public int stride() {
    return stride;
  }

  /** Bytes from row to row for rows of so many codes, padding included. */
  public static int stride(int dims) {
    return dims <= 32 ? dims : Math.ceilDiv(dims, Memory.CACHE_LINE) * Memory.CACHE_LINE;
  }

  /** Address of one row. */
  public long row(int ordinal) {
    return space.address() + (long) ordinal * stride;
  }

  /** Makes room for ordinals below {@code capacity}. */
  public void ensure(int capacity) {
    space.commit((long) capacity * stride);
    if (quantizer.biased()) {
      biases.commit((long) capacity * Integer.BYTES);
    }
  }

  /** Takes the rows' biases off distances to them, for a biased quantizer. */
  public void applyBiases(int[] ordinals, int count, int[] distances) {
    for (int i = 0; i < count; i++) {
      distances[i] = biasedDistance(distances[i], ordinals[i]);
    }
  }

  /** A distance to a row less its bias; not negative. */
  public int biasedDistance(int distance, int ordinal) {
    return Math.max(0, distance - bias(ordinal) + shift);
  }

  /** What {@link #biasedDistance} adds; see {@link Quantizer#shift}. */
  public int shift() {
    return shift;
  }

  /** The bias of a row; 0 where the quantizer has none. */
  public int bias(int ordinal) {
    return quantizer.biased() ? Memory.getInt(biases.address() + 4L * ordinal) : 0;
  }

  /** Address of the bias of ordinal 0: one int32 a row. */
  public long biasAddress() {
    return biases.address();
  }

  /** Bytes of memory in use. */
  public long bytes() {
    return space.committedBytes() + biases.committedBytes();
  }

  /**
   * Encodes one vector into its row and returns how many components were clipped.
   *
   * @param work room for a vector's components
   */
  public int encode(int ordinal, long vector, float squaredNorm, float[] work) {
    int clipped = quantizer.encode(vector, squaredNorm, row(ordinal), work);
    if (!quantizer.biased()) {
      return clipped;
    }
    int bias = quantizer.bias(squaredNorm);
    Memory.putInt(biases.address() + 4L * ordinal, bias);
    // A row beyond the norm bound is misplaced as a whole.
    return bias > shift ? quantizer.dimension() : clipped;
  }

  @Override
  public void close() {
    space.close();
    biases.close();
  }
}
