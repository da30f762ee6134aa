package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class UnlinkedBufferTest {
  private final UnlinkedBuffer buffer = new UnlinkedBuffer(1_000);

  private void visible(int from, int to) {
    buffer.place(from, to, false);
    buffer.publish(from, to);
  }

  private void hidden(int from, int to) {
    buffer.place(from, to, true);
    buffer.publish(from, to);
  }

  private int[] take(int most) {
    int[] slots = new int[most];
    return Arrays.copyOf(slots, buffer.take(slots, most));
  }

  private static int[] slots(int from, int to) {
    int[] slots = new int[to - from];
    Arrays.setAll(slots, i -> from + i);
    return slots;
  }

  @Test
  void publishedRowsAreUnlinkedUntilTheyAreLinked() {
    visible(0, 5);
    visible(5, 9);
    assertEquals(9, buffer.unlinkedRows());
    assertEquals(9, buffer.snapshot().count());
    assertArrayEquals(slots(0, 4), take(4));
    assertEquals(
        9, buffer.snapshot().unlinked().slots(), "taken rows are still compared one by one");
    buffer.linked(slots(0, 4), 4);
    assertEquals(5, buffer.snapshot().unlinked().slots());
    assertFalse(buffer.snapshot().unlinked().contains(3));
    assertTrue(buffer.snapshot().unlinked().contains(4));
    assertArrayEquals(slots(4, 9), take(100));
    buffer.linked(slots(4, 9), 5);
    assertEquals(0, buffer.unlinkedRows());
    assertFalse(buffer.hasWork());
  }

  /** What a start found is linked beside what is written since, and is not counted with it. */
  @Test
  void recoveredRowsAndNewOnesTakeTurns() {
    SlotRanges recovered = new SlotRanges();
    recovered.add(2, 6);
    recovered.add(7, 9);
    buffer.recover(new RecoveredRows(recovered, new SlotRanges(), 10));
    visible(10, 14);
    assertEquals(10, buffer.unlinkedRows());
    assertEquals(10, buffer.snapshot().unlinked().slots());
    assertEquals(4, buffer.newUnlinkedRows());
    assertArrayEquals(slots(2, 5), take(3));
    assertArrayEquals(slots(10, 13), take(3));
    buffer.linked(new int[] {2, 3, 4, 10, 11, 12}, 6);
    assertEquals(1, buffer.newUnlinkedRows());
    assertEquals(4, buffer.unlinkedRows());
    buffer.giveBack();
    assertArrayEquals(new int[] {5, 7}, take(2));
    assertArrayEquals(slots(13, 14), take(3));
    assertArrayEquals(slots(8, 9), take(3));
    assertFalse(buffer.hasWork());
    buffer.linked(new int[] {5, 7, 8, 13}, 4);
    assertEquals(0, buffer.newUnlinkedRows());
    assertEquals(0, buffer.unlinkedRows());
  }

  @Test
  void aSnapshotDoesNotChange() {
    visible(0, 5);
    UnlinkedBuffer.Snapshot before = buffer.snapshot();
    buffer.linked(slots(0, 5), 5);
    visible(5, 6);
    assertEquals(5, before.unlinked().slots());
    assertEquals(5, before.count());
  }

  @Test
  void hiddenRowsAreInNoSnapshotAndWaitForEveryBuildToEnd() {
    buffer.beginBuild();
    buffer.beginBuild();
    hidden(0, 10);
    assertEquals(0, buffer.unlinkedRows());
    assertEquals(10, buffer.snapshot().unbuilt().slots());
    assertEquals(0, buffer.firstUnsearchable());
    assertFalse(buffer.hasWork());
    buffer.endBuild();
    assertFalse(buffer.hasWork());
    assertEquals(0, take(100).length);
    buffer.endBuild();
    assertTrue(buffer.hasWork());
    assertArrayEquals(slots(0, 10), take(100));
    buffer.linked(slots(0, 10), 10);
    assertTrue(buffer.snapshot().unbuilt().isEmpty());
    assertEquals(Integer.MAX_VALUE, buffer.firstUnsearchable());
  }

  @Test
  void rowsAreKnownToBeHiddenBeforeTheyArePublished() {
    buffer.place(0, 10, true);
    assertTrue(buffer.snapshot().unbuilt().contains(9));
    assertEquals(0, buffer.snapshot().count());
    buffer.place(0, 5, false); // the first append failed
    assertTrue(buffer.snapshot().unbuilt().isEmpty());
  }

  @Test
  void unlinkedRowsAreTakenBeforeABuild() {
    hidden(0, 4);
    visible(4, 6);
    hidden(6, 8);
    assertArrayEquals(slots(4, 6), take(3));
    assertArrayEquals(new int[] {0, 1, 2}, take(3));
    visible(8, 9);
    assertArrayEquals(new int[] {8}, take(3));
    assertArrayEquals(new int[] {3, 6, 7}, take(3));
  }

  @Test
  void aBuildBeginsOnlyWhenAllOfItsRowsArePublished() {
    buffer.place(0, 4, true);
    buffer.place(4, 8, true);
    buffer.publish(0, 4);
    assertFalse(buffer.hasWork());
    assertEquals(0, take(8).length);
    buffer.publish(4, 8);
    assertTrue(buffer.hasWork());
    assertArrayEquals(slots(0, 8), take(8));
  }

  @Test
  void linkedTakesOutSlotsInSeveralRuns() {
    visible(0, 10);
    buffer.linked(new int[] {1, 2, 5, 8, 9}, 5);
    SlotRanges unlinked = buffer.snapshot().unlinked();
    assertEquals(5, unlinked.slots());
    for (int slot : new int[] {0, 3, 4, 6, 7}) {
      assertTrue(unlinked.contains(slot));
    }
  }

  @Test
  void whatAFailedAppendLeftVanishes() {
    hidden(0, 3);
    buffer.place(3, 9, true); // fails: slots 3..8 are given to the next
    visible(3, 5);
    UnlinkedBuffer.Snapshot snapshot = buffer.snapshot();
    assertEquals(3, snapshot.unbuilt().slots());
    assertEquals(2, snapshot.unlinked().slots());
    assertArrayEquals(slots(3, 5), take(10));
    assertArrayEquals(slots(0, 3), take(10));
    assertFalse(buffer.hasWork());
  }

  @Test
  void aBuildDoesNotWaitForWithdrawnRows() {
    hidden(0, 3);
    buffer.withdraw(buffer.place(3, 9, true));
    assertEquals(3, buffer.snapshot().unbuilt().slots());
    assertArrayEquals(slots(0, 3), take(10));
  }

  /** The slots of an append that failed belong to the next, which may come before it withdraws. */
  @Test
  void withdrawingLeavesTheRowsOfALaterAppend() {
    long failed = buffer.place(0, 6, true);
    hidden(0, 4);
    buffer.withdraw(failed);
    assertEquals(4, buffer.snapshot().unbuilt().slots());
    assertEquals(0, buffer.unlinkedRows());
    assertArrayEquals(slots(0, 4), take(10));
  }

  @Test
  void aFailedAppendDoesNotHideTheNextRows() {
    buffer.place(0, 6, true); // fails
    visible(0, 2);
    assertEquals(2, buffer.unlinkedRows());
    assertTrue(buffer.snapshot().unbuilt().isEmpty());
  }
}
