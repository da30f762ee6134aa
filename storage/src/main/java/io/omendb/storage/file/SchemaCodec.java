package io.omendb.storage.file;

import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.IdKind;
import java.util.Map;
import java.util.TreeMap;

/** A schema as bytes; see {@link FramedFileLayout}. */
public final class SchemaCodec {
  private static final int LEAST_PROPERTY_BYTES = 8;

  private static final int NUMERIC = 0;
  private static final int STRING = 1;

  private SchemaCodec() {}

  private static int kindCode(IdKind kind) {
    return switch (kind) {
      case NUMERIC -> NUMERIC;
      case STRING -> STRING;
    };
  }

  public static void write(FramedFile.Writer writer, CollectionSchema schema) {
    writer.putText(schema.name()).putInt(schema.dimension()).putInt(kindCode(schema.idKind()));
    writer.putInt(schema.properties().size());
    for (Map.Entry<String, String> property : schema.properties().entrySet()) {
      writer.putText(property.getKey()).putText(property.getValue());
    }
  }

  public static CollectionSchema read(FramedFile.Reader reader) throws CorruptFileException {
    String name = reader.getText();
    int dimension = reader.getInt();
    int kind = reader.getInt();
    IdKind idKind =
        switch (kind) {
          case NUMERIC -> IdKind.NUMERIC;
          case STRING -> IdKind.STRING;
          default -> throw reader.corrupt("id kind=" + kind);
        };
    int count = reader.getCount(LEAST_PROPERTY_BYTES);
    TreeMap<String, String> properties = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      String key = reader.getText();
      properties.put(key, reader.getText());
    }
    try {
      return new CollectionSchema(name, dimension, idKind, properties);
    } catch (IllegalArgumentException e) {
      throw reader.corrupt("schema: " + e.getMessage());
    }
  }
}
