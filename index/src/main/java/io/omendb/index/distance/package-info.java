/** Distance kernels: SIMD with a scalar twin, width chosen at start. */
@NullMarked
package io.omendb.index.distance;

import org.jspecify.annotations.NullMarked;
