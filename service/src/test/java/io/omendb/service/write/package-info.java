@NullMarked
package io.omendb.service.write;

import org.jspecify.annotations.NullMarked;
