/// What is counted, and the Prometheus page.
///
/// [io.omendb.service.metrics.Metrics] registers gauges and counters over what the other rooms
/// already count; [io.omendb.service.metrics.CallMetrics] times every call. Imports `read`,
/// `write`, `call`, `wire`. Threads: any.
@NullMarked
package io.omendb.service.metrics;

import org.jspecify.annotations.NullMarked;
