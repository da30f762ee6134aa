package io.omendb.loadtest.rivals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Ourselves: {@code bench index} in a JVM of its own, with the options of this one. */
final class OmenDb {
  static final String NAME = "omendb";
  private static final String EFS = "10,14,20,28,40,56,80,112,160,224,320,448,640";

  private final Path json;

  OmenDb(Path work) {
    this.json = work.resolve("omendb.json");
  }

  RunResult run(SetFiles files, int threads, OmenDbSettings settings) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("bench", "index"));
    command.addAll(files.arguments());
    command.addAll(settings.arguments());
    command.addAll(List.of("--threads", Integer.toString(threads), "--durability", "os"));
    command.addAll(List.of("--seconds", "1", "--ef", EFS, "--json", json.toString()));
    ProcessorTime before = ProcessorTime.read();
    String unused = Command.ofOurs(command).output();
    double others = ProcessorTime.read().othersSince(before);
    JsonObject result = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
    List<RunResult.Point> curve = new ArrayList<>();
    for (JsonElement element : result.getAsJsonArray("curve")) {
      JsonObject point = element.getAsJsonObject();
      curve.add(
          new RunResult.Point(
              point.get("ef").getAsInt(),
              point.get("recall_at_10").getAsDouble(),
              point.get("qps").getAsDouble(),
              point.get("cpu_us").getAsDouble()));
    }
    return new RunResult(
        result.get("build_seconds").getAsDouble(),
        result.get("build_cpu_seconds").getAsDouble(),
        result.get("rss_max_bytes").getAsLong(),
        others,
        curve);
  }
}
