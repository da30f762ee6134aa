package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LevelGeneratorTest {
  private static final int NODES = 1_000_000;

  @ParameterizedTest
  @ValueSource(ints = {4, 16, 32, 64})
  void eachLevelHasOneInMOfTheNodesBelow(int m) {
    LevelGenerator generator = new LevelGenerator(42, m);
    int[] atLeast = new int[HnswGraph.MAX_LEVEL + 2];
    for (int node = 0; node < NODES; node++) {
      int level = generator.levelOf(node);
      assertTrue(level >= 0 && level <= HnswGraph.MAX_LEVEL);
      for (int l = 0; l <= level; l++) {
        atLeast[l]++;
      }
    }
    double expected = NODES;
    for (int level = 0; expected > 20; level++) {
      // Five deviations of a count of rare events.
      assertEquals(expected, atLeast[level], 5 * Math.sqrt(expected), "level " + level);
      expected /= m;
    }
  }

  @Test
  void aNodeHasTheSameLevelAlwaysAndAnotherUnderAnotherSeed() {
    LevelGenerator one = new LevelGenerator(1, 4);
    LevelGenerator again = new LevelGenerator(1, 4);
    LevelGenerator other = new LevelGenerator(2, 4);
    int differ = 0;
    for (int node = 0; node < 10_000; node++) {
      assertEquals(one.levelOf(node), again.levelOf(node));
      differ += one.levelOf(node) == other.levelOf(node) ? 0 : 1;
    }
    assertTrue(differ > 2000, "differ=" + differ);
  }
}
