import static java.nio.charset.StandardCharsets.UTF_8;

import io.omendb.embedded.EmbeddedDatabase;
import io.omendb.embedded.Hit;
import io.omendb.index.Similarity;
import java.nio.file.Path;

/** The database inside an application. */
public class Embedded {

  public static void main(String[] args) throws Exception {
    try (EmbeddedDatabase database = EmbeddedDatabase.open(Path.of(args[0]))) {
      var colours = database.collection("colours", 3, Similarity.L2);
      colours.put(1, new float[] {255, 0, 0}, "red".getBytes(UTF_8));
      colours.put(2, new float[] {0, 255, 0}, "green".getBytes(UTF_8));
      colours.put(3, new float[] {0, 0, 255}, "blue".getBytes(UTF_8));
      for (Hit hit : colours.search(new float[] {250, 20, 10}, 2)) {
        System.out.println(new String(hit.payload(), UTF_8) + " " + hit.distance());
      }
    }
  }
}
