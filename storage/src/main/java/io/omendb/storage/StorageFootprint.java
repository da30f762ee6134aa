package io.omendb.storage;

import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.row.ExtentLayout;
import io.omendb.storage.row.IdIndex;
import io.omendb.storage.row.RowLayout;
import io.omendb.storage.row.Tombstones;
import io.omendb.storage.wal.Wal;

/**
 * Bytes that the rows of a collection take, by what they are for.
 *
 * @param vectors in the vector extents
 * @param rows in the row extents: 32 a row
 * @param heap in the heap extents: payloads and string ids
 * @param idIndex of the index from id to row, in memory
 */
public record StorageFootprint(long vectors, long rows, long heap, long idIndex) {
  /**
   * What {@code count} rows will take.
   *
   * @param payloadBytes of a payload, on average; 0 for none
   * @param stringIdBytes of an id, on average, where ids are strings
   */
  public static StorageFootprint of(
      CollectionSchema schema, long count, int payloadBytes, int stringIdBytes) {
    long heap = payloadBytes == 0 ? 0 : RowLayout.heapEntryBytes(payloadBytes);
    if (schema.idKind() == IdKind.STRING) {
      heap += RowLayout.heapEntryBytes(stringIdBytes);
    }
    return new StorageFootprint(
        count * schema.vectorStride(),
        count * RowLayout.BYTES,
        count * heap,
        IdIndex.bytesFor(count));
  }

  /** Bytes of the files while nothing waits to be written: extents, dead slots, the least log. */
  public long fileBytes() {
    return ExtentLayout.fileBytes(vectors)
        + ExtentLayout.fileBytes(rows)
        + ExtentLayout.fileBytes(heap)
        + 2 * Tombstones.bytesFor(Math.toIntExact(rows / RowLayout.BYTES))
        + Wal.SMALLEST_FILE;
  }
}
