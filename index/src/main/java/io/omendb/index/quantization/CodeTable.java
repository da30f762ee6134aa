package io.omendb.index.quantization;

import io.omendb.storage.memory.AddressSpace;

/**
 * The codes of a graph's nodes in one contiguous range: code row of an ordinal at {@code address()
 * + ordinal · stride()}, padded with zeros.
 *
 * <p>One writer at a time ({@link #ensure}, {@link #encode} of distinct ordinals from several
 * threads); readers may read every row whose ordinal they learned from the graph. A refit makes a
 * new table; the old one is closed when its last reader has gone.
 */
public final class CodeTable implements AutoCloseable {
  private static final int CACHE_LINE = 64;

  private final Quantizer quantizer;
  private final AddressSpace space;
  private final int dims;
  private final int stride;

  /**
   * @param maxBytes addresses to reserve
   */
  public CodeTable(Quantizer quantizer, long maxBytes) {
    this.quantizer = quantizer;
    this.dims = quantizer.paddedCodes();
    this.stride = dims <= 32 ? dims : (dims + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    this.space = AddressSpace.reserve(maxBytes);
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

  /** Address of one row. */
  public long row(int ordinal) {
    return space.address() + (long) ordinal * stride;
  }

  /** Makes room for ordinals below {@code capacity}. */
  public void ensure(int capacity) {
    space.commit((long) capacity * stride);
  }

  /** Bytes of memory in use. */
  public long bytes() {
    return space.committedBytes();
  }

  /** Encodes one vector into its row and returns how many components were clipped. */
  public int encode(int ordinal, long vector, float squaredNorm) {
    return quantizer.encode(vector, squaredNorm, row(ordinal));
  }

  @Override
  public void close() {
    space.close();
  }
}
