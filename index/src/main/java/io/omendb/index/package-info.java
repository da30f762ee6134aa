/**
 * Nearest-neighbour search over vectors in native memory: distances, codes and the HNSW graph.
 *
 * <p>Knows neither files nor the network, and of the project imports {@code io.omendb.memory}
 * alone: rows are reached through {@link io.omendb.index.hnsw.VectorRows}, by ordinal. What a
 * distance means to a user is {@link io.omendb.index.Similarity}; {@link
 * io.omendb.index.ExactDistance} computes it on full vectors, {@link io.omendb.index.TopK} keeps
 * the nearest.
 *
 * <p>Critical paths: search, kernels, linking. None takes a lock or hands a vector of the Vector
 * API to a helper; search and kernels allocate nothing once their scratch has grown, linking
 * allocates a few arrays a batch.
 *
 * <pre>
 *   hnsw ──► quantization ──► distance          hnsw, quantization ──► this package ──► distance
 * </pre>
 */
@NullMarked
package io.omendb.index;

import org.jspecify.annotations.NullMarked;
