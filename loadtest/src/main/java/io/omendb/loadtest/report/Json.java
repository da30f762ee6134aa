package io.omendb.loadtest.report;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes JSON (RFC 8259) from maps, lists, strings, numbers, booleans and null, indented by two
 * spaces. Numbers that JSON has no form for become null.
 */
public final class Json {

  private final StringBuilder out = new StringBuilder();

  private Json() {}

  /** The text of a value, with a line's end. */
  public static String write(@Nullable Object value) {
    Json json = new Json();
    json.value(value, 0);
    return json.out.append('\n').toString();
  }

  private void value(@Nullable Object value, int depth) {
    switch (value) {
      case null -> out.append("null");
      case Map<?, ?> map -> object(map, depth);
      case Iterable<?> list -> array(list, depth);
      case Double number when !Double.isFinite(number) -> out.append("null");
      case Number number -> out.append(number);
      case Boolean truth -> out.append(truth);
      default -> string(value.toString());
    }
  }

  private void object(Map<?, ?> map, int depth) {
    String separator = "{";
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      line(separator, depth + 1);
      string(entry.getKey().toString());
      out.append(": ");
      value(entry.getValue(), depth + 1);
      separator = ",";
    }
    close(separator, "{", "}", depth);
  }

  private void array(Iterable<?> list, int depth) {
    String separator = "[";
    for (Object element : list) {
      line(separator, depth + 1);
      value(element, depth + 1);
      separator = ",";
    }
    close(separator, "[", "]", depth);
  }

  private void line(String before, int depth) {
    out.append(before).append('\n').append("  ".repeat(depth));
  }

  private void close(String separator, String open, String close, int depth) {
    if (separator.equals(open)) {
      out.append(open).append(close);
    } else {
      line("", depth);
      out.append(close);
    }
  }

  private void string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < ' ') {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
