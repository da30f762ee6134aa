package io.omendb.loadtest.rivals;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A directory of jars from Maven's repository, with all that they need. Maven is the project's own
 * in a source tree, and else the one on the PATH.
 */
record Jars(Path directory) {
  private static final String COPY =
      "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies";

  /**
   * Fetches artifacts, unless they are there.
   *
   * @param artifacts each group:name:version
   */
  void fetch(List<String> artifacts) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    StringBuilder pom =
        new StringBuilder(
            """
            <project>
              <modelVersion>4.0.0</modelVersion>
              <groupId>rivals</groupId>
              <artifactId>rivals</artifactId>
              <version>1</version>
              <packaging>pom</packaging>
              <dependencies>
            """);
    for (String artifact : artifacts) {
      int name = artifact.indexOf(':') + 1;
      int version = artifact.lastIndexOf(':') + 1;
      pom.append("    <dependency><groupId>")
          .append(artifact, 0, name - 1)
          .append("</groupId><artifactId>")
          .append(artifact, name, version - 1)
          .append("</artifactId><version>")
          .append(artifact.substring(version))
          .append("</version></dependency>\n");
    }
    pom.append("  </dependencies>\n</project>\n");
    Path file = directory.resolveSibling("jars-pom.xml").toAbsolutePath();
    Files.writeString(file, pom);
    String unused =
        Command.of(
                List.of(
                    "env",
                    "JAVA_HOME=" + System.getProperty("java.home"),
                    maven(),
                    "-q",
                    "-B",
                    "-f",
                    file.toString(),
                    COPY,
                    "-DincludeScope=runtime",
                    "-DoutputDirectory=" + directory.toAbsolutePath()))
            .output();
  }

  private static String maven() {
    try {
      @Nullable Path place =
          Path.of(Jars.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      while (place != null) {
        if (Files.isExecutable(place.resolve("mvnw"))) {
          return place.resolve("mvnw").toString();
        }
        place = place.getParent();
      }
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
    return "mvn";
  }
}
