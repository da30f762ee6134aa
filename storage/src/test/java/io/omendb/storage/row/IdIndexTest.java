package io.omendb.storage.row;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class IdIndexTest {
  private static final int PLACES = 1 << 12;

  /** Ids that meet in one place of a table by the mix that anyone can read; they must not here. */
  @Test
  void idsChosenToMeetDoNot() {
    Set<Integer> places = new HashSet<>();
    int chosen = 0;
    for (long id = 0; chosen < 500; id++) {
      long h = (id ^ (id >>> 30)) * 0xBF58476D1CE4E5B9L;
      h = (h ^ (h >>> 27)) * 0x94D049BB133111EBL;
      if (((h ^ (h >>> 31)) & (PLACES - 1)) == 0) {
        chosen++;
        places.add(IdIndex.hash(id) & (PLACES - 1));
      }
    }
    assertTrue(places.size() > 300, () -> places.size() + " places for 500 ids");
  }

  /** The same for strings: FNV-1a from its published basis, then the mix. */
  @Test
  void stringsChosenToMeetDoNot() {
    Set<Integer> places = new HashSet<>();
    int chosen = 0;
    for (int i = 0; chosen < 500; i++) {
      byte[] id = Integer.toString(i).getBytes(StandardCharsets.UTF_8);
      long h = 0xCBF29CE484222325L;
      for (byte b : id) {
        h = (h ^ (b & 0xFF)) * 0x100000001B3L;
      }
      h = (h ^ (h >>> 30)) * 0xBF58476D1CE4E5B9L;
      h = (h ^ (h >>> 27)) * 0x94D049BB133111EBL;
      if (((h ^ (h >>> 31)) & (PLACES - 1)) == 0) {
        chosen++;
        places.add(IdIndex.hash(id, 0, id.length) & (PLACES - 1));
      }
    }
    assertTrue(places.size() > 300, () -> places.size() + " places for 500 ids");
  }
}
