/// Measures the server from outside, for speed and recall, and holds the command line.
@NullMarked
package io.omendb.loadtest;

import org.jspecify.annotations.NullMarked;
