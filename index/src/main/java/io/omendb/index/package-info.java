/// Nearest-neighbour search over vectors in memory, with no knowledge of files or of the network.
@NullMarked
package io.omendb.index;

import org.jspecify.annotations.NullMarked;
