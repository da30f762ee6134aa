package io.omendb.loadtest.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {

  @Test
  void writesWhatJsonHasAFormFor() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("text", "a \"b\" \\ \n\u0001 ü");
    object.put("numbers", List.of(1, 2.5, Double.NaN));
    object.put("empty", List.of());
    object.put("inner", Map.of("yes", true));
    assertEquals(
        """
        {
          "text": "a \\"b\\" \\\\ \\n\\u0001 ü",
          "numbers": [
            1,
            2.5,
            null
          ],
          "empty": [],
          "inner": {
            "yes": true
          }
        }
        """,
        Json.write(object));
  }
}
