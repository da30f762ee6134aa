/**
 * Nearest-neighbour search over vectors in native memory: distances, quantization and the HNSW
 * graph. Knows neither files nor the network.
 */
@NullMarked
package io.omendb.index;

import org.jspecify.annotations.NullMarked;
