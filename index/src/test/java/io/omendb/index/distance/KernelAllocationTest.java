package io.omendb.index.distance;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.omendb.memory.AddressSpace;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/**
 * Compiled kernels keep their vectors in registers.
 *
 * <p>In a JVM of its own: what the JIT inlines depends on what ran before. There the kernels run on
 * tiny rows first, which once made it compile a helper alone; every later call passed its vectors
 * through the heap, 780 bytes for a norm.
 */
class KernelAllocationTest {
  private static final int CALLS = 100_000;

  @Test
  void callsAllocateNothingAlsoAfterTinyRows() throws Exception {
    ChildJvm.Ended child = ChildJvm.run(Probe.class, "--add-modules=jdk.incubator.vector");
    for (String kernel : new String[] {"query", "codes", "l2", "dot", "norm"}) {
      long bytes = Long.parseLong(child.value(kernel));
      assertTrue(bytes < CALLS, () -> kernel + ": bytes in 100,000 calls: " + child.output());
    }
  }

  /** Prints for each kernel the fewest bytes that 100,000 calls allocated, of several rounds. */
  static final class Probe {
    private static final int ROUNDS = 10;
    private static final int DIMS = 128;

    private Probe() {}

    /** One call of one kernel. */
    interface Call {
      float run(int dims);
    }

    public static void main(String[] args) {
      try (AddressSpace space = AddressSpace.reserve(1 << 16)) {
        space.commit(1 << 16);
        long row = space.address();
        byte[] codes = new byte[DIMS];
        float[] floats = new float[DIMS];
        measure("query", dims -> Kernels.squaredL2(codes, row, dims), Kernels.CODE_BLOCK);
        measure("codes", dims -> Kernels.squaredL2(row, row + 4096, dims), Kernels.CODE_BLOCK);
        measure("l2", dims -> Kernels.squaredL2(floats, row, dims), Kernels.FLOAT_BLOCK);
        measure("dot", dims -> Kernels.dot(floats, row, dims), Kernels.FLOAT_BLOCK);
        measure("norm", dims -> Kernels.squaredNorm(row, dims), Kernels.FLOAT_BLOCK);
      }
    }

    private static void measure(String kernel, Call call, int tinyDims) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      float sum = round(call, tinyDims);
      long fewest = Long.MAX_VALUE;
      for (int i = 0; i < ROUNDS && fewest > 0; i++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        sum += round(call, DIMS);
        fewest = Math.min(fewest, threads.getCurrentThreadAllocatedBytes() - before);
      }
      System.out.println(kernel + "=" + fewest);
      System.out.println("sum of zeros: " + sum);
    }

    private static float round(Call call, int dims) {
      float sum = 0;
      for (int i = 0; i < CALLS; i++) {
        sum += call.run(dims);
      }
      return sum;
    }
  }
}
