package io.omendb.index.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Lengths and angles stay, and no direction is favoured. */
class RotationTest {
  private final long seed = Long.getLong("seed", System.nanoTime());
  private final Random random = new Random(seed);

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7, 64, 65, 100, 127, 128, 200, 384, 784, 1024, 1536, 8192})
  void lengthsAndProductsStay(int dimension) {
    System.err.println("RotationTest seed=" + seed);
    float[] a = gaussian(dimension);
    float[] b = gaussian(dimension);
    float[] rotatedA = rotated(a);
    float[] rotatedB = rotated(b);
    assertEquals(dot(a, a), dot(rotatedA, rotatedA), 1e-4 * dot(a, a));
    assertEquals(dot(a, b), dot(rotatedA, rotatedB), 1e-4 * dot(a, a));
  }

  /** A component goes to all of them, about as much to each. */
  @ParameterizedTest
  @ValueSource(ints = {64, 65, 100, 127, 128, 200, 384, 784, 1024, 1536, 8192})
  void everyComponentIsSpreadOverAll(int dimension) {
    for (int component = 0; component < dimension; component += 1 + dimension / 50) {
      float[] unit = new float[dimension];
      unit[component] = 1;
      double largest = 0;
      double fourths = 0;
      for (float x : rotated(unit)) {
        largest = Math.max(largest, Math.abs(x));
        fourths += (double) x * x * x * x;
      }
      // Of normal components the largest of 8,192 is below 6 deviations, the fourth moment is 3.
      assertTrue(
          largest < 6 / Math.sqrt(dimension),
          "of " + dimension + ", component " + component + ": " + largest);
      assertTrue(
          fourths * dimension < 6,
          "of " + dimension + ", component " + component + ": " + fourths * dimension);
    }
  }

  /** Codes in images were made with it: a rotation that gives another result has another number. */
  @ParameterizedTest
  @CsvSource({"7, 69520146", "128, 1087695870", "784, 1551573020"})
  void theRotationOfThisNumberStays(int dimension, int hash) {
    assertEquals(2, Rotation.NUMBER);
    float[] vector = new float[dimension];
    for (int j = 0; j < dimension; j++) {
      vector[j] = j % 11 - 5;
    }
    assertEquals(hash, Arrays.hashCode(rotated(vector)));
  }

  private float[] gaussian(int dimension) {
    float[] vector = new float[dimension];
    for (int j = 0; j < dimension; j++) {
      vector[j] = (float) random.nextGaussian();
    }
    return vector;
  }

  private static float[] rotated(float[] vector) {
    float[] rotated = vector.clone();
    new Rotation(vector.length).apply(rotated);
    return rotated;
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int j = 0; j < a.length; j++) {
      sum += (double) a[j] * b[j];
    }
    return sum;
  }
}
