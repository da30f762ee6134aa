package io.omendb.storage.api;

/** What a write does with rows whose id is, or is not, already there. */
public enum WriteMode {
  /** Inserts what is new and replaces what is there. */
  UPSERT,
  /** Inserts what is new; a row whose id is there is a conflict and is left out. */
  INSERT_ONLY,
  /** Replaces what is there; a row whose id is not there is a conflict and is left out. */
  UPDATE_ONLY
}
