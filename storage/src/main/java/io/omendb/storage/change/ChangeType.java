package io.omendb.storage.change;

/** What a change says. */
public enum ChangeType {
  /** Rows were added; each names the slot it replaces. */
  ROWS,
  /** Slots were marked deleted. */
  DELETE,
  /** A frame was refused: it has used up its sequence, and nothing else. */
  FRAME_REFUSED
}
