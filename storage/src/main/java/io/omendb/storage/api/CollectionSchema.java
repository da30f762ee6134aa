package io.omendb.storage.api;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What storage must know of a collection, and what it keeps for its user.
 *
 * @param name 1 to 256 bytes of UTF-8, unique in its data directory
 * @param dimension components of a vector, 1 to 65,536
 * @param idKind kind of the ids
 * @param properties opaque to storage (similarity, graph parameters, …); ≤ 64 KiB in all
 */
public record CollectionSchema(
    String name, int dimension, IdKind idKind, SortedMap<String, String> properties) {
  private static final int MAX_NAME_BYTES = 256;
  private static final int MAX_DIMENSION = 1 << 16;
  private static final int MAX_PROPERTY_BYTES = 1 << 16;

  public CollectionSchema {
    int nameBytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (nameBytes < 1 || nameBytes > MAX_NAME_BYTES) {
      throw new IllegalArgumentException(
          "name has " + nameBytes + " bytes, expected 1.." + MAX_NAME_BYTES);
    }
    if (dimension < 1 || dimension > MAX_DIMENSION) {
      throw new IllegalArgumentException(
          "dimension=" + dimension + ", expected 1.." + MAX_DIMENSION);
    }
    properties = Collections.unmodifiableSortedMap(new TreeMap<>(properties));
    long bytes = 0;
    for (var property : properties.entrySet()) {
      bytes += property.getKey().getBytes(StandardCharsets.UTF_8).length;
      bytes += property.getValue().getBytes(StandardCharsets.UTF_8).length;
    }
    if (bytes > MAX_PROPERTY_BYTES) {
      throw new IllegalArgumentException(
          "properties have " + bytes + " bytes, expected at most " + MAX_PROPERTY_BYTES);
    }
  }

  /** Bytes of one vector as it is stored, without padding. */
  public int vectorBytes() {
    return dimension * Float.BYTES;
  }

  /** Distance between the starts of two stored vectors: {@link #vectorBytes} padded to 64. */
  public int vectorStride() {
    return (vectorBytes() + 63) & -64;
  }
}
