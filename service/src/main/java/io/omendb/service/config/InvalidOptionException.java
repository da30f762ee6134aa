package io.omendb.service.config;

/// A setting that cannot be used. The message names where it came from, its value, and what is
/// expected.
public final class InvalidOptionException extends Exception {
  private static final long serialVersionUID = 1L;

  InvalidOptionException(String source, String value, String expected) {
    super(source + " is \"" + value + "\", expected " + expected);
  }
}
