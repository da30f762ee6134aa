package io.omendb.loadtest.report;

import java.io.Console;
import java.util.Optional;

/**
 * Colours and the like, on a terminal; elsewhere, and where {@code NO_COLOR} is set, the text as it
 * is.
 */
public enum Style {
  /** What to look at. */
  BOLD("1"),
  /** All is well. */
  GREEN("1;32"),
  /** Something is not. */
  RED("1;31"),
  /** Less to look at. */
  DIM("2");

  private static final boolean ON = isTerminal() && System.getenv("NO_COLOR") == null;

  private final String code;

  Style(String code) {
    this.code = code;
  }

  /** Whether a person looks on. */
  static boolean isTerminal() {
    return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
  }

  /** The text in this style. */
  public String of(String text) {
    return ON ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
  }
}
