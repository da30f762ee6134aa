package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.IdKind;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CollectionConfigTest {
  private static CollectionConfig with(String field, String value) {
    return new CollectionConfig(
        field.equals("name") ? value : "things",
        field.equals("dimension") ? Integer.parseInt(value) : 128,
        Similarity.L2,
        IdKind.NUMERIC,
        field.equals("m") ? Integer.parseInt(value) : 16,
        field.equals("ef_construction") ? Integer.parseInt(value) : 100,
        field.equals("target_recall") ? Double.parseDouble(value) : 0.99,
        field.equals("search_p95_target_us") ? Long.parseLong(value) : 0,
        Profile.MEMORY);
  }

  @ParameterizedTest
  @CsvSource({
    "dimension, 1, 2 to 8192",
    "dimension, 8193, 2 to 8192",
    "dimension, -5, 2 to 8192",
    "m, 3, 4 to 64",
    "m, 65, 4 to 64",
    "ef_construction, 7, 8 to 2000",
    "ef_construction, 2001, 8 to 2000",
    "target_recall, 0.49, 0.5 to 0.9999",
    "target_recall, 1.0, 0.5 to 0.9999",
    "target_recall, NaN, 0.5 to 0.9999",
    "search_p95_target_us, -1, 0 to 10000000",
    "search_p95_target_us, 10000001, 0 to 10000000"
  })
  void refusesWhatIsOutOfBounds(String field, String value, String expected) {
    InvalidConfigException e = assertThrows(InvalidConfigException.class, () -> with(field, value));
    assertEquals(field, e.field());
    assertEquals(value, e.value());
    assertEquals(expected, e.expected());
    assertEquals(field + "=" + value + ", expected " + expected, e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "dimension, 2",
    "dimension, 8192",
    "m, 4",
    "m, 64",
    "ef_construction, 8",
    "ef_construction, 2000",
    "target_recall, 0.5",
    "target_recall, 0.9999",
    "search_p95_target_us, 0",
    "search_p95_target_us, 10000000",
    "name, 0",
    "name, Aa-_9"
  })
  void acceptsTheBounds(String field, String value) {
    CollectionConfig config = with(field, value);
    assertTrue(config.toString().contains(value), config::toString);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-a", "_a", "a b", "a/b", "..", "é", "a\n"})
  void refusesNamesThatAreNoPlainWord(String name) {
    InvalidConfigException e = assertThrows(InvalidConfigException.class, () -> with("name", name));
    assertEquals("name", e.field());
    assertEquals(name, e.value());
    assertEquals("[A-Za-z0-9][A-Za-z0-9_-]{0,63}", e.expected());
  }

  @Test
  void aNameHasUpTo64Characters() {
    assertEquals("n".repeat(64), with("name", "n".repeat(64)).name());
    assertThrows(InvalidConfigException.class, () -> with("name", "n".repeat(65)));
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void comesBackFromItsSchema(Similarity similarity) {
    CollectionConfig config =
        new CollectionConfig(
            "a-b_C", 77, similarity, IdKind.STRING, 24, 333, 0.975, 1_500, Profile.SPEED);
    CollectionSchema schema = config.toSchema(1_234_567_890_123L);
    assertEquals(config, CollectionConfig.fromSchema(schema));
    assertEquals(1_234_567_890_123L, CollectionConfig.createdMillis(schema));
  }

  @Test
  void aSchemaWithoutAPropertyIsNamed() {
    CollectionSchema whole = CollectionConfig.of("things", 4, Similarity.L2).toSchema(1);
    TreeMap<String, String> properties = new TreeMap<>(whole.properties());
    properties.remove("m");
    CollectionSchema schema =
        new CollectionSchema(whole.name(), whole.dimension(), whole.idKind(), properties);
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> CollectionConfig.fromSchema(schema));
    assertEquals("collection things was stored without property m", e.getMessage());
  }
}
