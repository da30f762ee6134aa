package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CandidateBucketsTest {
  /** A bucket is a 64th of a doubling wide. */
  private static final float WIDTH = 1 + 1 / 32F;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final Random random = new Random(seed);
  private final CandidateBuckets candidates = new CandidateBuckets();

  @Test
  void whatIsTakenOutIsAmongTheNearestAndTheRestIsKeptOut() {
    System.err.println("CandidateBucketsTest seed=" + seed);
    for (int round = 0; round < 200; round++) {
      int wanted = 1 + random.nextInt(100);
      int count = 1 + random.nextInt(2_000);
      float first = (float) Math.exp(random.nextDouble(0, 15));
      candidates.begin(first, wanted);
      float[] estimates = new float[count];
      for (int i = 0; i < count; i++) {
        estimates[i] = (float) (first * Math.exp(random.nextGaussian()));
        candidates.ensure(1);
        if (estimates[i] < candidates.bound()) {
          candidates.push(estimates[i], i, 1);
          candidates.trim();
        }
      }
      float[] sorted = estimates.clone();
      Arrays.sort(sorted);
      int taken = 0;
      float before = 0;
      while (candidates.pop()) {
        assertEquals(estimates[candidates.poppedOrdinal()], candidates.poppedEstimate());
        assertTrue(candidates.poppedEstimate() * WIDTH >= before || before > 4 * first);
        before = candidates.poppedEstimate();
        taken++;
      }
      assertTrue(taken >= Math.min(count, wanted), taken + " of " + wanted);
      assertEquals(count > taken, candidates.filled());
      if (candidates.filled()) {
        int most = 0;
        while (most < count && sorted[most] < sorted[wanted - 1] * WIDTH) {
          most++;
        }
        assertTrue(taken <= most, taken + " of " + wanted + ", expected " + most + " at most");
      }
    }
  }

  @Test
  void whatIsForgottenMakesRoomAndWhatIsStaleStaysOut() {
    candidates.begin(100, 2);
    candidates.ensure(8);
    candidates.push(50, 1, 1);
    candidates.push(40, 2, 0);
    candidates.push(60, 3, 1);
    candidates.trim();
    assertTrue(candidates.pop());
    assertEquals(1, candidates.poppedOrdinal());
    candidates.forget();
    assertTrue(candidates.bound() > 60);
    candidates.push(55, 4, 1);
    candidates.trim();
    assertTrue(candidates.pop());
    assertEquals(4, candidates.poppedOrdinal());
    assertTrue(candidates.pop());
    assertEquals(3, candidates.poppedOrdinal());
    assertFalse(candidates.pop());
  }

  @Test
  void estimatesOfAnySizeAreTaken() {
    candidates.begin(0, 10);
    candidates.ensure(8);
    float[] estimates = {0, 1e-30F, 1, 1e9F, Float.MAX_VALUE};
    for (int i = 0; i < estimates.length; i++) {
      candidates.push(estimates[i], i, 1);
    }
    int taken = 0;
    while (candidates.pop()) {
      taken++;
    }
    assertEquals(estimates.length, taken);
    assertFalse(candidates.filled());
  }
}
