package io.omendb.engine;

import io.omendb.index.Similarity;
import io.omendb.index.hnsw.HnswIndex;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.IdKind;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What a collection is; fixed when it is created.
 *
 * @param name {@code [A-Za-z0-9][A-Za-z0-9_-]{0,63}}
 * @param dimension components of a vector, 2..8192
 * @param similarity what near means
 * @param idKind kind of the ids
 * @param m most neighbours of a node above level 0 of the graph, 4..64; level 0 has twice as many
 * @param efConstruction beam of a link search, 8..2000
 * @param targetRecall recall@10 that the default ef is calibrated for, 0.5..0.9999
 * @param searchP95TargetMicros wished p95 of a search in µs, up to ten seconds; 0 for none
 * @param profile what memory is spent on
 */
public record CollectionConfig(
    String name,
    int dimension,
    Similarity similarity,
    IdKind idKind,
    int m,
    int efConstruction,
    double targetRecall,
    long searchP95TargetMicros,
    Profile profile) {
  /** {@link #m} where none is asked for. */
  public static final int DEFAULT_M = 16;

  /** {@link #efConstruction} where none is asked for. */
  public static final int DEFAULT_EF_CONSTRUCTION = 100;

  /** {@link #targetRecall} where none is asked for. */
  public static final double DEFAULT_TARGET_RECALL = 0.99;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}");
  private static final String CREATED = "created_ms";
  private static final String SIMILARITY = "similarity";
  private static final String M = "m";
  private static final String EF_CONSTRUCTION = "ef_construction";
  private static final String TARGET_RECALL = "target_recall";
  private static final String P95_TARGET = "search_p95_target_us";
  private static final String PROFILE = "profile";

  /** Levels of nodes hash this; one seed for all, so that equal input gives an equal graph. */
  private static final long SEED = 0x4F6D_656E_4442L;

  /** Checks every field; throws {@link InvalidConfigException}. */
  public CollectionConfig {
    if (!isName(name)) {
      throw new InvalidConfigException("name", name, NAME.pattern());
    }
    range("dimension", dimension, 2, 8192);
    range("m", m, 4, 64);
    range("ef_construction", efConstruction, 8, 2000);
    if (!(targetRecall >= 0.5 && targetRecall <= 0.9999)) {
      throw new InvalidConfigException("target_recall", targetRecall, "0.5 to 0.9999");
    }
    range("search_p95_target_us", searchP95TargetMicros, 0, 10_000_000);
  }

  /** A collection of numeric ids with the defaults. */
  public static CollectionConfig of(String name, int dimension, Similarity similarity) {
    return new CollectionConfig(
        name,
        dimension,
        similarity,
        IdKind.NUMERIC,
        DEFAULT_M,
        DEFAULT_EF_CONSTRUCTION,
        DEFAULT_TARGET_RECALL,
        0,
        Profile.MEMORY);
  }

  /** Whether a collection may be called so. */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  private static void range(String field, long value, long least, long most) {
    if (value < least || value > most) {
      throw new InvalidConfigException(field, value, least + " to " + most);
    }
  }

  HnswIndex.Parameters indexParameters() {
    boolean blocks = profile == Profile.SPEED && similarity != Similarity.INNER_PRODUCT;
    return new HnswIndex.Parameters(similarity, dimension, m, efConstruction, SEED, blocks);
  }

  CollectionSchema toSchema(long createdMillis) {
    TreeMap<String, String> properties = new TreeMap<>();
    properties.put(CREATED, Long.toString(createdMillis));
    properties.put(SIMILARITY, similarity.name());
    properties.put(M, Integer.toString(m));
    properties.put(EF_CONSTRUCTION, Integer.toString(efConstruction));
    properties.put(TARGET_RECALL, Double.toString(targetRecall));
    properties.put(P95_TARGET, Long.toString(searchP95TargetMicros));
    properties.put(PROFILE, profile.name());
    return new CollectionSchema(name, dimension, idKind, properties);
  }

  static CollectionConfig fromSchema(CollectionSchema schema) {
    return new CollectionConfig(
        schema.name(),
        schema.dimension(),
        Similarity.valueOf(property(schema, SIMILARITY)),
        schema.idKind(),
        Integer.parseInt(property(schema, M)),
        Integer.parseInt(property(schema, EF_CONSTRUCTION)),
        Double.parseDouble(property(schema, TARGET_RECALL)),
        Long.parseLong(property(schema, P95_TARGET)),
        Profile.valueOf(property(schema, PROFILE)));
  }

  static long createdMillis(CollectionSchema schema) {
    return Long.parseLong(property(schema, CREATED));
  }

  private static String property(CollectionSchema schema, String key) {
    String value = schema.properties().get(key);
    if (value == null) {
      throw new IllegalStateException(
          "collection " + schema.name() + " was stored without property " + key);
    }
    return value;
  }
}
