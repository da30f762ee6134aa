package io.omendb.loadtest.report;

/** Is told how far long work is. Safe for use by many threads. */
public interface Progress {

  /** Says nothing. */
  Progress NONE =
      new Progress() {
        @Override
        public void start(String what, long total) {}

        @Override
        public void add(long steps) {}

        @Override
        public void finish() {}
      };

  /** Work of {@code total} steps begins; what ran before has ended. */
  void start(String what, long total);

  /** So many more steps are done. */
  void add(long steps);

  /** The work has ended. */
  void finish();
}
