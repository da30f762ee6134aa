import static java.nio.charset.StandardCharsets.UTF_8;

import io.omendb.client.BulkOptions;
import io.omendb.client.Hit;
import io.omendb.client.Ids;
import io.omendb.client.OmenClient;
import io.omendb.client.OmenException;
import io.omendb.client.Rows;
import io.omendb.client.SearchOptions;
import io.omendb.client.Vectors;
import io.omendb.proto.v1.Similarity;
import java.time.Duration;
import java.util.Random;

/** One task from Java: create, load, read what was written, search, delete. */
public class QuickStart {

  public static void main(String[] args) {
    try (OmenClient db = OmenClient.connect("127.0.0.1:50051")) {
      db.dropCollection("docs-java");
      var docs = db.createCollection("docs-java", 64, Similarity.SIMILARITY_COSINE);
      Random random = new Random(1);
      float[] vectors = new float[20_000 * 64];
      for (int i = 0; i < vectors.length; i++) {
        vectors[i] = (float) random.nextGaussian();
      }
      var rows = Rows.of(Ids.range(0, 20_000), Vectors.of(vectors, 64));
      System.out.println(docs.bulkInsert(rows, BulkOptions.DEFAULT).rowCount());
      float[] seven = new float[64];
      System.arraycopy(vectors, 8 * 64, seven, 0, 64);
      var unused = docs.insert(Rows.of(7, seven, "seven".getBytes(UTF_8)));
      for (Hit hit : docs.search(seven, SearchOptions.k(2).withPayloads()).hits()) {
        System.out.println(hit.id() + " " + new String(hit.payload(), UTF_8));
      }
      System.out.println(docs.delete(Ids.of(7)) + " " + docs.count());

      try {
        System.out.println(docs.search(new float[2], 3));
      } catch (OmenException e) {
        System.out.println(
            e.reason() + " " + e.field() + " " + e.value() + " expected " + e.expected());
      }

      var search = docs.searchAsync(seven, SearchOptions.k(2)); // with a future…
      search.cancel(true); // …and cancelled
      System.out.println(search.isCancelled());
      try {
        System.out.println(db.withTimeout(Duration.ofNanos(1)).collection("docs-java").count());
      } catch (OmenException e) {
        System.out.println(e.code());
      }
    }
  }
}
