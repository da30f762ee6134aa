package io.omendb.loadtest.bench;

import io.omendb.loadtest.client.BulkLoad;
import io.omendb.loadtest.client.SearchLoad;
import io.omendb.loadtest.report.Table;
import io.omendb.proto.v1.BytesByPath;
import java.util.Locale;

/** The table at the end of the demo. */
final class DemoReport {

  private DemoReport() {}

  /** The table, and how the server was set. */
  static String of(int rows, BulkLoad.Times times, Observation before, Observation after) {
    Table table = new Table("", "before kill -9", "after restart");
    table.row("words", number(before.count().getCount()), number(after.count().getCount()));
    table.row(
        "searchable",
        number(before.count().getSearchableCount()),
        number(after.count().getSearchableCount()));
    table.row(
        "linked in the graph",
        number(before.stats().getLinkedCount()),
        number(after.stats().getLinkedCount()));
    table.row(
        "recall@10, default ef",
        String.format(Locale.ROOT, "%.4f", before.quality().recall()),
        String.format(Locale.ROOT, "%.4f", after.quality().recall()));
    table.row("default ef", number(before.quality().ef()), number(after.quality().ef()));
    table.row("searched by", ways(before), ways(after));
    table.row(
        "distances a query",
        number(Math.round(before.quality().distanceComputations())),
        number(Math.round(after.quality().distanceComputations())));
    table.row("acknowledged words/s", number(Math.round(rows / times.acknowledged())), "");
    table.row("durable words/s", number(Math.round(rows / times.durable())), "");
    table.row("searchable words/s", number(Math.round(rows / times.searchable())), "");
    table.row("searches/s, one client", rate(before.searches()), rate(after.searches()));
    table.row("search p50", micros(before, 50), micros(after, 50));
    table.row("search p99", micros(before, 99), micros(after, 99));
    table.row(
        "heap in use, of " + mebibytes(before.server().getHeapMaxBytes()),
        mebibytes(before.server().getHeapUsedBytes()),
        mebibytes(after.server().getHeapUsedBytes()));
    table.row(
        "resident memory", mebibytes(before.residentBytes()), mebibytes(after.residentBytes()));
    BytesByPath beforePath = before.server().getVectorBytesByPath();
    BytesByPath afterPath = after.server().getVectorBytesByPath();
    table.row(
        "bytes copied once, direct",
        number(beforePath.getDirectBytes()),
        number(afterPath.getDirectBytes()));
    table.row(
        "bytes copied once, heap",
        number(beforePath.getHeapBytes()),
        number(afterPath.getHeapBytes()));
    table.row(
        "bytes copied otherwise",
        number(beforePath.getFallbackBytes()),
        number(afterPath.getFallbackBytes()));
    return "\n"
        + table
        + String.format(
            "%nDurability: %s.  Kernels: %s.%n", durability(before), before.server().getKernels());
  }

  private static String durability(Observation seen) {
    String mode = seen.server().getDurabilityMode().name().replace("DURABILITY_MODE_", "");
    return mode.toLowerCase(Locale.ROOT);
  }

  private static String ways(Observation seen) {
    return String.join(
        ", ",
        seen.quality().strategies().stream()
            .map(strategy -> strategy.name().replace("SEARCH_STRATEGY_", ""))
            .toList());
  }

  private static String rate(SearchLoad.Result result) {
    return number(Math.round(result.latencies().count() / result.seconds()));
  }

  private static String micros(Observation seen, double percentile) {
    return String.format(Locale.ROOT, "%,.0f µs", seen.searches().latencies().micros(percentile));
  }

  private static String number(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%,.0f MiB", bytes / 1048576.0);
  }
}
