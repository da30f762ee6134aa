/** OmenDB beside others on the same vectors: installs them, runs them in turn, compares. */
@NullMarked
package io.omendb.loadtest.rivals;

import org.jspecify.annotations.NullMarked;
