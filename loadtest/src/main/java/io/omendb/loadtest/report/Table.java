package io.omendb.loadtest.report;

import java.util.ArrayList;
import java.util.List;

/** A table for people: the first column to the left, the others to the right. */
public final class Table {

  private final List<List<String>> rows = new ArrayList<>();

  /** Begins with its heading. */
  public Table(String... heading) {
    rows.add(List.of(heading));
  }

  /** Adds a row, of as many cells as the heading. */
  public void row(String... cells) {
    if (cells.length != rows.getFirst().size()) {
      throw new IllegalArgumentException(
          "cells=" + cells.length + ", expected " + rows.getFirst().size());
    }
    rows.add(List.of(cells));
  }

  @Override
  public String toString() {
    int[] widths = new int[rows.getFirst().size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < rows.size(); i++) {
      append(text, rows.get(i), widths);
      if (i == 0) {
        List<String> rule = new ArrayList<>();
        for (int width : widths) {
          rule.add("-".repeat(width));
        }
        append(text, rule, widths);
      }
    }
    return text.toString();
  }

  private static void append(StringBuilder text, List<String> row, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String cell = row.get(i);
      String space = " ".repeat(widths[i] - cell.length());
      line.append(i == 0 ? "  " + cell + space : "  " + space + cell);
    }
    text.append(line.toString().stripTrailing()).append('\n');
  }
}
