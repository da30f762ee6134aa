/** The benches and the demo. */
@NullMarked
package io.omendb.loadtest.bench;

import org.jspecify.annotations.NullMarked;
