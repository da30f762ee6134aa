package io.omendb.index.distance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.index.hnsw.NativeRows;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each width in a JVM of its own: it is chosen once, and every width makes the same graph. */
class VectorWidthTest {
  private static final String VECTOR_MODULE = "--add-modules=jdk.incubator.vector";

  @Test
  void everyWidthIsLoweredToWhatThereIsAndMakesTheSameGraph() throws Exception {
    ChildJvm.Ended auto = ChildJvm.run(Probe.class, VECTOR_MODULE);
    int offered = Integer.parseInt(auto.value("bits"));
    List<String> hashes = new ArrayList<>(List.of(auto.value("hash")));
    for (String width : List.of("512", "256", "128", "scalar")) {
      if (width.equals(Integer.toString(offered))) {
        continue; // what auto chose
      }
      ChildJvm.Ended child =
          ChildJvm.run(Probe.class, VECTOR_MODULE, "-D" + VectorWidth.PROPERTY + "=" + width);
      int wanted = width.equals("scalar") ? 0 : Integer.parseInt(width);
      assertEquals(Math.min(wanted, offered), Integer.parseInt(child.value("bits")), width);
      hashes.add(child.value("hash"));
    }
    assertTrue(hashes.stream().allMatch(hashes.getFirst()::equals), hashes.toString());
  }

  @Test
  void aProcessorWithoutAvx512IsAskedForNoMoreThanItHas() throws Exception {
    ChildJvm.Ended child =
        ChildJvm.run(
            Probe.class,
            VECTOR_MODULE,
            "-XX:+IgnoreUnrecognizedVMOptions",
            "-XX:UseAVX=2",
            "-D" + VectorWidth.PROPERTY + "=512");
    int bits = Integer.parseInt(child.value("bits"));
    assertTrue(bits <= 256, "bits=" + bits);
  }

  @Test
  void withoutTheVectorModuleThePlainLoopsServe() throws Exception {
    ChildJvm.Ended child = ChildJvm.run(Probe.class);
    assertEquals("0", child.value("bits"));
  }

  @Test
  void anUnknownWidthIsRefusedByName() throws Exception {
    ChildJvm.Ended child =
        ChildJvm.run(Probe.class, VECTOR_MODULE, "-D" + VectorWidth.PROPERTY + "=384");
    assertNotEquals(0, child.exitCode());
    assertTrue(child.output().contains(VectorWidth.PROPERTY + "=384"), child.output());
  }

  /** Runs the tests of the kernels, and prints their width and the hash of a graph. */
  static final class Probe {
    private Probe() {}

    public static void main(String[] args) throws ReflectiveOperationException {
      for (Method method : KernelsTest.class.getDeclaredMethods()) {
        if (method.isAnnotationPresent(Test.class)) {
          KernelsTest kernels = new KernelsTest();
          kernels.commit();
          method.invoke(kernels);
          kernels.close();
          System.out.println("passed " + method.getName());
        }
      }
      NearestRowsTest nearest = new NearestRowsTest();
      nearest.commit();
      nearest.areTheNearestAndOfEqualsTheFirst();
      nearest.farRowsAreFoundToOneInEightThousand();
      nearest.keysAreThoseOfThePlainLoops();
      nearest.close();
      System.out.println("bits=" + VectorWidth.current().bits());
      StringBuilder hashes = new StringBuilder();
      for (Similarity similarity : Similarity.values()) {
        hashes.append(Long.toHexString(NativeRows.hashOfASmallGraph(similarity))).append(' ');
      }
      System.out.println("hash=" + hashes);
    }
  }
}
