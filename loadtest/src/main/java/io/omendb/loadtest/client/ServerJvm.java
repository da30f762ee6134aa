package io.omendb.loadtest.client;

import java.nio.file.Path;
import java.util.List;

/** How the launcher {@code omendb} starts the server's JVM; a test holds the two together. */
final class ServerJvm {

  static final String MAIN = "io.omendb.service.Main";

  private ServerJvm() {}

  /** The options, for a heap and a limit of direct memory such as "256m". */
  static List<String> options(String heap, String directMemory) {
    return List.of(
        "--enable-native-access=ALL-UNNAMED",
        "--add-modules=jdk.incubator.vector",
        "--sun-misc-unsafe-memory-access=allow",
        "-XX:+PerfDisableSharedMem",
        "-Xms" + heap,
        "-Xmx" + heap,
        "-XX:+UseParallelGC",
        "-XX:MaxDirectMemorySize=" + directMemory,
        "-XX:+ExitOnOutOfMemoryError");
  }

  /** The java this process runs on. */
  static Path java() {
    return Path.of(System.getProperty("java.home"), "bin", "java");
  }

  /** The class path of this process, which holds the server too. */
  static String classPath() {
    return System.getProperty("java.class.path", "");
  }
}
