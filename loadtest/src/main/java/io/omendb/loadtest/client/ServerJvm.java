package io.omendb.loadtest.client;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How the launcher {@code omendb} starts the server's JVM; a test holds the two together. */
final class ServerJvm {

  static final String MAIN = "io.omendb.service.Main";

  static final String SIMD = "--add-modules=jdk.incubator.vector";

  private ServerJvm() {}

  /** The options, for a heap and a limit of direct memory such as "256m". */
  static List<String> options(String heap, String directMemory) {
    return List.of(
        SIMD,
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0",
        "-XX:+PerfDisableSharedMem",
        "-Xms" + heap,
        "-Xmx" + heap,
        "-XX:+UseParallelGC",
        "-XX:MaxDirectMemorySize=" + directMemory,
        "-XX:+ExitOnOutOfMemoryError");
  }

  /** The archive of classes that this process was started with, if any. */
  private static List<String> archive() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(
            option -> option.startsWith("-XX:SharedArchiveFile=") || option.equals("-Xlog:cds=off"))
        .toList();
  }

  /** The command up to the server's arguments; its class path is that of this process. */
  static List<String> command(String heap, List<String> moreOptions) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options(heap, "512m"));
    command.addAll(archive());
    command.addAll(moreOptions);
    command.addAll(List.of("-cp", System.getProperty("java.class.path", ""), MAIN));
    return command;
  }
}
