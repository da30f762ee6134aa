/**
 * Distance kernels: squared Euclidean distance and dot product on float32, squared Euclidean
 * distance on byte codes.
 *
 * <p>{@link io.omendb.index.distance.Kernels} is the one entrance; it chooses once, at class load,
 * by what the processor has ({@link io.omendb.index.distance.VectorWidth}). {@link
 * io.omendb.index.distance.SimdKernels} alone imports the Vector API; {@link
 * io.omendb.index.distance.ScalarKernels} is the specification in plain loops, and serves where the
 * incubator module is missing. {@link io.omendb.index.distance.KernelSelfTest} compares the two at
 * start and times them.
 *
 * <p>Arguments are addresses of rows padded with zeros to the kernels' block; nothing is checked
 * here, whoever makes an address has checked the ordinal. Distances on codes are exact integers,
 * the same at every width; float32 sums differ in the last bits from width to width. Any thread, no
 * state.
 */
@NullMarked
package io.omendb.index.distance;

import org.jspecify.annotations.NullMarked;
