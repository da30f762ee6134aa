/**
 * HNSW (Malkov and Yashunin, 2018) on byte codes in native memory.
 *
 * <p>The words of the paper and where they live:
 *
 * <pre>
 * paper                          here
 * M, M_max                       m: most neighbours on levels above 0
 * M_max0                         2m: most neighbours on level 0
 * efConstruction                 efConstruction: beam of a link search
 * mL                             1 / ln(m), in {@code LevelGenerator}
 * SEARCH-LAYER (Alg. 2)          {@code HnswSearcher.searchLayer}
 * SELECT-NEIGHBORS-HEURISTIC (4) {@code NeighborSelector.select}, with Vamana's alpha
 * K-NN-SEARCH (Alg. 5)           {@code HnswSearcher.search}
 * INSERT (Alg. 1)                {@code BatchLinker.link}: many nodes at once on a frozen graph
 * C, W                           one sorted pool of candidates with an expanded bit
 * v                              {@code SearchScratch}: a bit set with an undo list
 * </pre>
 *
 * <p>And of SymphonyQG (Gou et al., 2024), for profile "speed":
 *
 * <pre>
 * one-bit codes beside a node    {@code NeighborBlocks}, scored by {@code FastScan}
 * its search                     {@code BlockSearcher}, over {@code CandidateBuckets}
 * </pre>
 *
 * <p>An <i>ordinal</i> is a node's dense number. Distances inside this package are squared
 * Euclidean distances between 7-bit codes, as int; a key packs {@code distance << 32 | ordinal} so
 * that keys sort by distance, then ordinal.
 *
 * <p>Insertion differs from the paper: a batch searches the graph as it stood before the batch (no
 * locks, no half-linked node is ever met, and the result does not depend on the number of threads),
 * the members of a batch are candidates for each other, every list has one writer, and a full list
 * is pruned, never skipped.
 */
@NullMarked
package io.omendb.index.hnsw;

import org.jspecify.annotations.NullMarked;
