/** How results are told: JSON, tables, progress bars and latencies. */
@NullMarked
package io.omendb.loadtest.report;

import org.jspecify.annotations.NullMarked;
