/** Byte codes of vectors: what every distance of build and search runs on. */
@NullMarked
package io.omendb.index.quantization;

import org.jspecify.annotations.NullMarked;
