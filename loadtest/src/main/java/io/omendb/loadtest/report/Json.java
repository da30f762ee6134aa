package io.omendb.loadtest.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonNull;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSerializer;
import org.jspecify.annotations.Nullable;

/** Writes JSON for people and programs: indented, and numbers that JSON has no form for as null. */
public final class Json {
  private static final Gson GSON =
      new GsonBuilder()
          .setPrettyPrinting()
          .disableHtmlEscaping()
          .serializeNulls()
          .registerTypeAdapter(
              Double.class,
              (JsonSerializer<Double>)
                  (number, _, _) ->
                      Double.isFinite(number) ? new JsonPrimitive(number) : JsonNull.INSTANCE)
          .create();

  private Json() {}

  /** The text of a value made of maps, lists, strings, numbers, booleans and null. */
  public static String write(@Nullable Object value) {
    return GSON.toJson(value) + "\n";
  }
}
