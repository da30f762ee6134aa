@NullMarked
package io.omendb.loadtest.rivals;

import org.jspecify.annotations.NullMarked;
