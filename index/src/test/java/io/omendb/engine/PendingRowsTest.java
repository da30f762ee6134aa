package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PendingRowsTest {
  private final PendingRows pending = new PendingRows();

  private void visible(int from, int to) {
    pending.place(from, to, false);
    pending.publish(from, to);
  }

  private void hidden(int from, int to) {
    pending.place(from, to, true);
    pending.publish(from, to);
  }

  private int[] take(int most) {
    int[] slots = new int[most];
    return Arrays.copyOf(slots, pending.take(slots, most));
  }

  private static int[] slots(int from, int to) {
    int[] slots = new int[to - from];
    Arrays.setAll(slots, i -> from + i);
    return slots;
  }

  @Test
  void publishedRowsAreInTheTailUntilTheyAreLinked() {
    visible(0, 5);
    visible(5, 9);
    assertEquals(9, pending.tailRows());
    assertEquals(9, pending.view().count());
    assertArrayEquals(slots(0, 4), take(4));
    assertEquals(9, pending.view().tail().slots(), "taken rows are still compared one by one");
    pending.linked(slots(0, 4), 4);
    assertEquals(5, pending.view().tail().slots());
    assertFalse(pending.view().tail().contains(3));
    assertTrue(pending.view().tail().contains(4));
    assertArrayEquals(slots(4, 9), take(100));
    pending.linked(slots(4, 9), 5);
    assertEquals(0, pending.tailRows());
    assertFalse(pending.hasWork());
  }

  @Test
  void aViewIsAPictureThatDoesNotChange() {
    visible(0, 5);
    PendingRows.View before = pending.view();
    pending.linked(slots(0, 5), 5);
    visible(5, 6);
    assertEquals(5, before.tail().slots());
    assertEquals(5, before.count());
  }

  @Test
  void hiddenRowsAreInNoTailAndWaitForEveryBuildToEnd() {
    pending.beginBuild();
    pending.beginBuild();
    hidden(0, 10);
    assertEquals(0, pending.tailRows());
    assertEquals(10, pending.view().unbuilt().slots());
    assertEquals(0, pending.firstUnbuilt());
    assertFalse(pending.hasWork());
    pending.endBuild();
    assertFalse(pending.hasWork());
    assertEquals(0, take(100).length);
    pending.endBuild();
    assertTrue(pending.hasWork());
    assertArrayEquals(slots(0, 10), take(100));
    pending.linked(slots(0, 10), 10);
    assertTrue(pending.view().unbuilt().isEmpty());
    assertEquals(Integer.MAX_VALUE, pending.firstUnbuilt());
  }

  @Test
  void rowsAreKnownToBeHiddenBeforeTheyArePublished() {
    pending.place(0, 10, true);
    assertTrue(pending.view().unbuilt().contains(9));
    assertEquals(0, pending.view().count());
    pending.place(0, 5, false); // the first append failed
    assertTrue(pending.view().unbuilt().isEmpty());
  }

  @Test
  void theTailIsTakenBeforeABuild() {
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
    pending.place(0, 4, true);
    pending.place(4, 8, true);
    pending.publish(0, 4);
    assertFalse(pending.hasWork());
    assertEquals(0, take(8).length);
    pending.publish(4, 8);
    assertTrue(pending.hasWork());
    assertArrayEquals(slots(0, 8), take(8));
  }

  @Test
  void linkedTakesOutSlotsInSeveralRuns() {
    visible(0, 10);
    pending.linked(new int[] {1, 2, 5, 8, 9}, 5);
    SlotRanges tail = pending.view().tail();
    assertEquals(5, tail.slots());
    for (int slot : new int[] {0, 3, 4, 6, 7}) {
      assertTrue(tail.contains(slot));
    }
  }

  @Test
  void whatAFailedAppendLeftVanishes() {
    hidden(0, 3);
    pending.place(3, 9, true); // fails: slots 3..8 are given to the next
    visible(3, 5);
    PendingRows.View view = pending.view();
    assertEquals(3, view.unbuilt().slots());
    assertEquals(2, view.tail().slots());
    assertArrayEquals(slots(3, 5), take(10));
    assertArrayEquals(slots(0, 3), take(10));
    assertFalse(pending.hasWork());
  }

  @Test
  void aBuildDoesNotWaitForWithdrawnRows() {
    hidden(0, 3);
    pending.withdraw(pending.place(3, 9, true));
    assertEquals(3, pending.view().unbuilt().slots());
    assertArrayEquals(slots(0, 3), take(10));
  }

  /** The slots of an append that failed belong to the next, which may come before it withdraws. */
  @Test
  void withdrawingLeavesTheRowsOfALaterAppend() {
    long failed = pending.place(0, 6, true);
    hidden(0, 4);
    pending.withdraw(failed);
    assertEquals(4, pending.view().unbuilt().slots());
    assertEquals(0, pending.tailRows());
    assertArrayEquals(slots(0, 4), take(10));
  }

  @Test
  void aFailedAppendDoesNotHideTheNextRows() {
    pending.place(0, 6, true); // fails
    visible(0, 2);
    assertEquals(2, pending.tailRows());
    assertTrue(pending.view().unbuilt().isEmpty());
  }
}
