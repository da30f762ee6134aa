package io.omendb.service.write;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class StreamMarksTest {
  private final StreamMarks marks = new StreamMarks();

  @Test
  void marksFollowTheWatermarks() {
    marks.add(1, 10);
    marks.add(2, 20);
    assertEquals(2, marks.lastAdded());
    marks.advance(0, 0, 19);
    assertEquals(1, marks.received());
    assertEquals(10, marks.receivedSequence());
    assertEquals(0, marks.durable());
    marks.advance(10, 10, 20);
    assertEquals(2, marks.received());
    assertEquals(1, marks.durable());
    assertEquals(1, marks.searchable());
  }

  @Test
  void noMarkIsAheadOfWhatWasReceived() {
    marks.add(1, 10);
    marks.add(2, 20);
    marks.advance(20, 20, 10);
    assertEquals(1, marks.received());
    assertEquals(1, marks.durable());
    assertEquals(1, marks.searchable());
  }

  @Test
  void tellsWhetherThereIsNews() {
    assertFalse(marks.haveMoved());
    marks.add(1, 10);
    assertFalse(marks.haveMoved(), "the log has nothing yet");
    marks.advance(0, 0, 10);
    assertTrue(marks.haveMoved());
    marks.told();
    assertFalse(marks.haveMoved());
    marks.advance(0, 10, 10);
    assertTrue(marks.haveMoved(), "it is durable now");
  }

  @Test
  void aResumedStreamStandsWhereItBrokeOff() {
    marks.resume(5, 50);
    assertEquals(5, marks.received());
    assertEquals(5, marks.durable());
    assertEquals(0, marks.searchable(), "its rows may not be linked yet");
    marks.advance(50, 50, 50);
    assertEquals(5, marks.searchable());
  }
}
