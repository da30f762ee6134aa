@NullMarked
package io.omendb.service.wire;

import org.jspecify.annotations.NullMarked;
