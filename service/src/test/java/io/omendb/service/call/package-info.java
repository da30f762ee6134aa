@NullMarked
package io.omendb.service.call;

import org.jspecify.annotations.NullMarked;
