package io.omendb.service.write;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class MarkQueueTest {
  @Test
  void theMarkFollowsTheWatermark() {
    MarkQueue queue = new MarkQueue(0);
    queue.add(1, 10);
    queue.add(2, 10);
    queue.add(3, 12);
    assertFalse(queue.advance(9));
    assertTrue(queue.advance(11));
    assertEquals(2, queue.frame());
    assertEquals(10, queue.sequence());
    assertTrue(queue.advance(12));
    assertEquals(3, queue.frame());
  }

  @Test
  void aFullQueueThinsOutAndStaysTrue() {
    MarkQueue queue = new MarkQueue(0);
    int frames = 1_000_000;
    for (int frame = 1; frame <= frames; frame++) {
      queue.add(frame, 2L * frame);
    }
    long last = 0;
    for (long watermark = 0; watermark <= 2L * frames; watermark += 997) {
      queue.advance(watermark);
      assertTrue(queue.frame() >= last);
      assertTrue(2 * queue.frame() <= watermark, "a mark must not be ahead of the watermark");
      last = queue.frame();
    }
    queue.advance(2L * frames);
    assertEquals(frames, queue.frame(), "the last frame is never dropped");
  }
}
