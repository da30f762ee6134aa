package io.omendb.loadtest.report;

/** Numbers as reports show them: no digits that were not measured. */
final class Rounding {

  private Rounding() {}

  /** A number with so many digits behind the point. */
  static double digits(double value, int digits) {
    double scale = Math.pow(10, digits);
    return Math.round(value * scale) / scale;
  }
}
