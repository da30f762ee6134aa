package io.omendb.loadtest.report;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;

/**
 * Curves as an SVG: recall to the right, stretched towards 1, where it matters, or rows, on a
 * logarithmic scale; a rate upwards, on such a scale too. The first curve added is drawn thick.
 */
public final class Plot {

  /** A recall or a number of rows, and a rate. */
  public record Point(double x, double rate) {}

  /** What goes to the right. */
  public enum Across {
    RECALL(
        "recall@10",
        "%s",
        List.of(0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999),
        MOST_RECALL,
        recall -> -Math.log10(1 - Math.min(recall, MOST_RECALL))),
    ROWS("rows", "%,.0f", List.of(1e4, 1e5, 1e6, 1e7), 1e7, Math::log10);

    private final String label;
    private final String format;

    @SuppressWarnings("ImmutableEnumChecker") // a list of List.of
    private final List<Double> marks;

    private final double last;

    @SuppressWarnings("ImmutableEnumChecker") // without state
    private final DoubleUnaryOperator scale;

    Across(
        String label, String format, List<Double> marks, double last, DoubleUnaryOperator scale) {
      this.label = label;
      this.format = format;
      this.marks = marks;
      this.last = last;
      this.scale = scale;
    }

    /** How far to the right, from 0 to 1. */
    private double position(double x) {
      double from = scale.applyAsDouble(marks.getFirst());
      return (scale.applyAsDouble(x) - from) / (scale.applyAsDouble(last) - from);
    }

    private String name(double mark) {
      return String.format(Locale.ROOT, format, mark);
    }
  }

  private record Curve(String name, List<Point> points) {}

  private static final int WIDTH = 900;
  private static final int HEIGHT = 520;
  private static final int LEFT = 80;
  private static final int TOP = 40;
  private static final int RIGHT = 680;
  private static final int BOTTOM = 460;

  /** Recall beyond is drawn here: 1 would be infinitely far. */
  private static final double MOST_RECALL = 0.9995;

  /** Turns the hue by the golden angle: any number of curves stay apart. */
  private static final double HUE_STEP = 137.5;

  private final String title;
  private final Across across;
  private final String up;
  private final List<Curve> curves = new ArrayList<>();

  /**
   * An empty plot.
   *
   * @param up what goes upwards
   */
  public Plot(String title, Across across, String up) {
    this.title = title;
    this.across = across;
    this.up = up;
  }

  /** Adds a curve, or a point; those without a rate, or left of all marks, are left out. */
  public void add(String name, List<Point> points) {
    curves.add(
        new Curve(
            name,
            points.stream().filter(p -> p.rate > 0 && p.x >= across.marks.getFirst()).toList()));
  }

  /** The drawing. */
  public String svg() {
    double least = rates().min().orElse(1);
    double most = rates().max().orElse(10);
    double low = Math.floor(Math.log10(least) * 4) / 4;
    double high = Math.max(low + 0.25, Math.ceil(Math.log10(most) * 4) / 4);
    StringBuilder svg = new StringBuilder();
    add(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
            + " font-size=\"12\">",
        WIDTH,
        HEIGHT);
    add(svg, "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>", WIDTH, HEIGHT);
    text(svg, LEFT, 22, "start", title);
    text(svg, (LEFT + RIGHT) / 2.0, HEIGHT - 18, "middle", across.label);
    text(svg, LEFT, TOP - 4, "start", up);
    for (double mark : across.marks) {
      double x = x(mark);
      rule(svg, x, TOP, x, BOTTOM);
      text(svg, x, BOTTOM + 16, "middle", across.name(mark));
    }
    for (double mark = low; mark <= high + 0.01; mark += 0.25) {
      double y = y(mark, low, high);
      rule(svg, LEFT, y, RIGHT, y);
      text(svg, LEFT - 6, y + 4, "end", String.format(Locale.ROOT, "%,.0f", Math.pow(10, mark)));
    }
    for (int i = 0; i < curves.size(); i++) {
      draw(svg, i, low, high);
    }
    return svg.append("</svg>\n").toString();
  }

  private DoubleStream rates() {
    return curves.stream().flatMap(c -> c.points.stream()).mapToDouble(Point::rate);
  }

  private void draw(StringBuilder svg, int i, double low, double high) {
    Curve curve = curves.get(i);
    String colour = String.format(Locale.ROOT, "hsl(%.0f 70%% 42%%)", i * HUE_STEP % 360);
    double width = i == 0 ? 3 : 1.5;
    StringBuilder path = new StringBuilder();
    for (Point point : curve.points) {
      double x = x(point.x);
      double y = y(Math.log10(point.rate), low, high);
      path.append(String.format(Locale.ROOT, "%s%.1f %.1f", path.isEmpty() ? "M" : "L", x, y));
      add(svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>", x, y, width + 1, colour);
    }
    add(
        svg,
        "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\"/>",
        path,
        colour,
        width);
    double y = TOP + 10 + 20.0 * i;
    add(
        svg,
        "<path d=\"M%d %.1fh24\" stroke=\"%s\" stroke-width=\"%.1f\"/>",
        RIGHT + 16,
        y,
        colour,
        width);
    text(svg, RIGHT + 46, y + 4, "start", curve.name);
  }

  private double x(double value) {
    return LEFT + (RIGHT - LEFT) * across.position(value);
  }

  private static double y(double log, double low, double high) {
    return BOTTOM - (BOTTOM - TOP) * (log - low) / (high - low);
  }

  private static void rule(StringBuilder svg, double x1, double y1, double x2, double y2) {
    add(svg, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#ddd\"/>", x1, y1, x2, y2);
  }

  private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
    String safe = text.replace("&", "&amp;").replace("<", "&lt;");
    add(svg, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", x, y, anchor, safe);
  }

  @FormatMethod
  private static void add(StringBuilder svg, @FormatString String format, Object... arguments) {
    svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }
}
