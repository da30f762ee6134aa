/** Sets of vectors: their files, their exact answers, and recall against these. */
@NullMarked
package io.omendb.loadtest.data;

import org.jspecify.annotations.NullMarked;
