package io.omendb.loadtest.bench;

import io.omendb.engine.Profile;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Options that say how the graph is built and searched. */
final class GraphOptions {

  @Option(
      names = "--m",
      defaultValue = "16",
      paramLabel = "M",
      description = "HNSW M. Default: ${DEFAULT-VALUE}.")
  private int m;

  @Option(
      names = "--ef-construction",
      defaultValue = "100",
      paramLabel = "EF",
      description = "HNSW efConstruction. Default: ${DEFAULT-VALUE}.")
  private int efConstruction;

  @Option(
      names = "--profile",
      defaultValue = "MEMORY",
      description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private Profile profile = Profile.MEMORY;

  @Option(
      names = "--ef",
      split = ",",
      paramLabel = "EF",
      description = "Search with these ef, and by default, which always has a row: that of ef 0.")
  private List<Integer> ef = List.of();

  int m() {
    return m;
  }

  int efConstruction() {
    return efConstruction;
  }

  Profile profile() {
    return profile;
  }

  /** The wanted ef and 0, which is the default search, ascending, each once. */
  List<Integer> efs() {
    return Stream.concat(ef.stream(), Stream.of(0)).sorted().distinct().toList();
  }

  Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("m", m);
    settings.put("ef_construction", efConstruction);
    settings.put("profile", profile.name());
    return settings;
  }
}
