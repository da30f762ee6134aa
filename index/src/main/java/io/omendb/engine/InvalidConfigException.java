package io.omendb.engine;

/**
 * A collection's configuration that cannot be: names the field, its value and what was expected.
 */
public final class InvalidConfigException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String field;
  private final String value;
  private final String expected;

  InvalidConfigException(String field, Object value, String expected) {
    super(field + "=" + value + ", expected " + expected);
    this.field = field;
    this.value = String.valueOf(value);
    this.expected = expected;
  }

  /** The field, as {@link CollectionConfig} names it. */
  public String field() {
    return field;
  }

  /** What was given. */
  public String value() {
    return value;
  }

  /** What may be given. */
  public String expected() {
    return expected;
  }
}
