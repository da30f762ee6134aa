/// Joins storage and index into collections, and says what acknowledged, durable and visible mean.
@NullMarked
package io.omendb.engine;

import org.jspecify.annotations.NullMarked;
