package io.omendb.loadtest.rivals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.data.Neighbours;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The others: Python packages and jars, each run by {@code rival.py} in a process of its own. They
 * are installed below the working directory, and found there the next time.
 */
final class Rivals {
  private static final String SCRIPT = "rival.py";
  private static final String JVM_PROGRAM = "JvmRival.java";

  /**
   * @param install arguments of pip
   * @param maven artifacts
   * @param about what it is and how it is set
   */
  private record Rival(List<String> install, List<String> maven, String about) {}

  private final Path work;
  private final Map<String, Rival> rivals = new LinkedHashMap<>();

  /** Reads which there are. Needs python3 on the PATH. */
  Rivals(Path work) throws IOException {
    this.work = work;
    Files.createDirectories(work);
    for (String name : List.of(SCRIPT, JVM_PROGRAM)) {
      try (InputStream program = Rivals.class.getResourceAsStream(name)) {
        Files.copy(
            Objects.requireNonNull(program),
            work.resolve(name),
            StandardCopyOption.REPLACE_EXISTING);
      }
    }
    String list = Command.of(List.of("python3", script().toString(), "list")).output();
    JsonParser.parseString(list)
        .getAsJsonObject()
        .entrySet()
        .forEach(rival -> rivals.put(rival.getKey(), rival(rival.getValue().getAsJsonObject())));
  }

  private static Rival rival(JsonObject json) {
    return new Rival(
        strings(json, "install"), strings(json, "maven"), json.get("about").getAsString());
  }

  private static List<String> strings(JsonObject json, String name) {
    return json.getAsJsonArray(name).asList().stream().map(JsonElement::getAsString).toList();
  }

  /** All that can be asked for. */
  List<String> names() {
    return List.copyOf(rivals.keySet());
  }

  /** What a rival is and how it is set. */
  String about(String name) {
    return rival(name).about;
  }

  private Rival rival(String name) {
    return Optional.ofNullable(rivals.get(name))
        .orElseThrow(
            () -> new IllegalArgumentException("system=" + name + ", expected one of " + names()));
  }

  private Path script() {
    return work.resolve(SCRIPT);
  }

  private String python() {
    return work.resolve("venv/bin/python3").toString();
  }

  /** Installs a rival; the reason if it cannot be had. */
  Optional<String> install(String name) {
    try {
      Rival rival = rival(name);
      installByPip(rival.install);
      if (!rival.maven.isEmpty()) {
        new Jars(jars()).fetch(rival.maven);
      }
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(Objects.requireNonNullElse(e.getMessage(), e.toString()));
    }
  }

  private void installByPip(List<String> packages) throws IOException {
    if (!Files.exists(Path.of(python()))) {
      Command.of(List.of("python3", "-m", "venv", work.resolve("venv").toString())).output();
    }
    List<String> pip = new ArrayList<>(List.of(python(), "-m", "pip", "install", "-q"));
    pip.add("--disable-pip-version-check");
    pip.add("numpy");
    pip.addAll(packages);
    Command.of(pip).output();
  }

  private Path jars() {
    return work.resolve("jars");
  }

  /**
   * Unpacks an HDF5 file of ann-benchmarks into base.fvecs, query.fvecs and truth.ivecs.
   *
   * @return its metric
   */
  String unpack(Path file, Path directory) throws IOException {
    installByPip(List.of("h5py"));
    return Command.of(
            List.of(
                python(),
                script().toString(),
                "unpack",
                file.toString(),
                "--out",
                directory.toString()))
        .lastLine();
  }

  /** Runs a rival on a set whose exact answers lie in a file. */
  RunResult run(String name, Dataset set, SetFiles files, int threads) throws IOException {
    Path out = Files.createDirectories(work.resolve("answers"));
    List<String> command =
        new ArrayList<>(List.of("env", "JAVA_HOME=" + System.getProperty("java.home")));
    command.addAll(List.of(python(), script().toString(), "run", name));
    command.addAll(files.arguments());
    command.addAll(List.of("--threads", Integer.toString(threads), "--out", out.toString()));
    command.addAll(List.of("--jars", jars().toString()));
    ProcessorTime before = ProcessorTime.read();
    JsonObject json = JsonParser.parseString(Command.of(command).lastLine()).getAsJsonObject();
    double others = ProcessorTime.read().othersSince(before);
    List<RunResult.Point> curve = new ArrayList<>();
    for (JsonElement element : json.getAsJsonArray("curve")) {
      JsonObject point = element.getAsJsonObject();
      int queries = set.queries().count();
      curve.add(
          new RunResult.Point(
              point.get("setting").getAsInt(),
              recall(set, Neighbours.read(Path.of(point.get("answers").getAsString()))),
              queries / point.get("seconds").getAsDouble(),
              1e6 * point.get("cpu_seconds").getAsDouble() / queries));
    }
    return new RunResult(
        json.get("build_seconds").getAsDouble(),
        json.get("build_cpu_seconds").getAsDouble(),
        json.get("rss_max_bytes").getAsLong(),
        others,
        curve);
  }

  /** By the same measure as ours: a hit as near as the true ones counts. */
  private static double recall(Dataset set, Neighbours answers) {
    long found = 0;
    long[] hits = new long[Dataset.K];
    for (int query = 0; query < set.queries().count(); query++) {
      for (int rank = 0; rank < Dataset.K; rank++) {
        hits[rank] = answers.row(query, rank);
      }
      found += set.recall().found(query, hits, Dataset.K);
    }
    return set.recall().mean(found);
  }
}
