package io.omendb.loadtest.crash;

import java.util.List;

/**
 * One write, which applies whole or not at all.
 *
 * @param ids its records
 * @param version what they become; {@link #DELETED}: gone
 */
record Operation(List<Long> ids, int version) {

  static final int DELETED = 0;
}
