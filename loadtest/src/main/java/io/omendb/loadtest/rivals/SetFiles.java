package io.omendb.loadtest.rivals;

import java.nio.file.Path;
import java.util.List;

/**
 * A set as every system is given it.
 *
 * @param truth exact neighbours of all queries
 * @param limit rows of the base to take
 * @param queries how many queries to take
 */
record SetFiles(Path base, Path query, Path truth, String metric, int limit, int queries) {
  List<String> arguments() {
    return List.of(
        "--base", base.toString(),
        "--query", query.toString(),
        "--truth", truth.toString(),
        "--metric", metric,
        "--limit", Integer.toString(limit),
        "--queries", Integer.toString(queries));
  }
}
