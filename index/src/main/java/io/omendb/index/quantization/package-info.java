/**
 * Byte codes of vectors: what every distance of build and search runs on.
 *
 * <p>A code has 7 bits for each component: {@code round((y[j] - low[j]) * scale)}, clamped. The
 * scale is one for all components, so that a distance of codes orders as a distance of vectors
 * does, with no weights; each component has its own low ({@link
 * io.omendb.index.quantization.Quantizer}). The fit minimizes the squared error of rounding and
 * clipping on a sample ({@link io.omendb.index.quantization.QuantizerTrainer}).
 *
 * <p>Cosine codes unit vectors. Inner product keeps a bias a row, its squared norm in code units:
 * the biased distance {@code |x - y|^2 - bias(y) + shift} orders as the product does, and is not
 * negative.
 *
 * <p>{@link io.omendb.index.quantization.CodeTable} holds the codes by ordinal, off the heap. A
 * refit makes a new table; the old one is closed when its last reader has gone.
 */
@NullMarked
package io.omendb.index.quantization;

import org.jspecify.annotations.NullMarked;
