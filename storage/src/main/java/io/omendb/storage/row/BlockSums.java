package io.omendb.storage.row;

import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.file.FramedFile;
import io.omendb.storage.file.InParallel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * CRC32C of each 1 MiB block of one byte space, up to the length of a checkpoint. The space is
 * append-only, so a later checkpoint computes only the blocks that were not full.
 */
public final class BlockSums {
  static final int BLOCK = 1 << 20;

  private final String kind;
  private int[] sums = new int[16];
  private long bytes;

  public BlockSums(String kind) {
    this.kind = kind;
  }

  private static int blocks(long bytes) {
    return Math.toIntExact((bytes + BLOCK - 1) / BLOCK);
  }

  /** Computes what is missing up to {@code newBytes}, by pread. */
  public void extendTo(Path directory, long newBytes) throws IOException {
    int first = (int) (bytes / BLOCK);
    int count = blocks(newBytes);
    if (sums.length < count) {
      sums = Arrays.copyOf(sums, Math.max(count, 2 * sums.length));
    }
    compute(directory, newBytes, first, count, (block, sum) -> sums[block] = sum);
    bytes = newBytes;
  }

  /** Compares every block with the files. */
  public void verify(Path directory) throws IOException {
    compute(directory, bytes, 0, blocks(bytes), (block, sum) -> check(directory, block, sum));
  }

  private void check(Path directory, int block, int sum) throws CorruptFileException {
    if (sums[block] != sum) {
      long offset = (long) block * BLOCK;
      throw new CorruptFileException(
          directory.resolve(ExtentLayout.name(kind, ExtentLayout.fileAt(offset))),
          ExtentReader.offsetInFile(offset),
          "checksum of the block of 1 MiB",
          sums[block] & 0xFFFFFFFFL,
          sum & 0xFFFFFFFFL);
    }
  }

  @FunctionalInterface
  private interface BlockConsumer {
    void accept(int block, int sum) throws CorruptFileException;
  }

  /** Blocks from {@code first} on, in two halves at once where that pays. */
  private void compute(Path directory, long end, int first, int count, BlockConsumer consumer)
      throws IOException {
    int parts = count - first > 16 ? Math.min(4, Runtime.getRuntime().availableProcessors()) : 1;
    List<Callable<Void>> work = new ArrayList<>();
    for (int part = 0; part < parts; part++) {
      int from = first + (int) ((long) (count - first) * part / parts);
      int to = first + (int) ((long) (count - first) * (part + 1) / parts);
      work.add(() -> {
        computePart(directory, end, from, to, consumer);
        return null;
      });
    }
    InParallel.run(work);
  }

  private void computePart(Path directory, long end, int from, int to, BlockConsumer consumer)
      throws IOException {
    try (ExtentReader reader = new ExtentReader(directory, kind)) {
      for (int block = from; block < to; block++) {
        long start = (long) block * BLOCK;
        consumer.accept(block, reader.checksum(start, Math.min(BLOCK, end - start)));
      }
    }
  }

  public long bytes() {
    return bytes;
  }

  public void write(FramedFile.Writer writer) {
    int count = blocks(bytes);
    writer.putInt(count);
    for (int i = 0; i < count; i++) {
      writer.putInt(sums[i]);
    }
  }

  public void read(FramedFile.Reader reader, long length) throws CorruptFileException {
    int count = reader.getCount(Integer.BYTES);
    if (count != blocks(length)) {
      throw reader.corrupt(kind + " has " + count + " block sums, expected " + blocks(length));
    }
    sums = new int[Math.max(16, count)];
    for (int i = 0; i < count; i++) {
      sums[i] = reader.getInt();
    }
    bytes = length;
  }
}
