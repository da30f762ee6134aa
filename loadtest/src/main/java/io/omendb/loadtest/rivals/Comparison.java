package io.omendb.loadtest.rivals;

import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.report.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * OmenDB and its rivals on one set, in turn: in each round every system builds and searches once,
 * in a process of its own, and each round begins with another. Building has all the threads,
 * searching one.
 */
public final class Comparison {
  private final Rivals rivals;
  private final OmenDb omenDb;
  private final Path work;
  private final Progress progress;

  /**
   * @param work what is installed stays here for the next time
   */
  public Comparison(Path work, Progress progress) throws IOException {
    this.work = work;
    this.progress = progress;
    this.rivals = new Rivals(work);
    this.omenDb = new OmenDb(work);
  }

  /** The rivals that there are. */
  public List<String> rivals() {
    return rivals.names();
  }

  /**
   * Whether there are such rivals.
   *
   * @throws IllegalArgumentException that names the others if there is no such
   */
  public void check(List<String> names) {
    names.forEach(rivals::about);
  }

  /**
   * Unpacks an HDF5 file of ann-benchmarks into base.fvecs, query.fvecs and truth.ivecs.
   *
   * @return its metric, as the options of a bench call it
   */
  public String unpack(Path file, Path directory) throws IOException {
    return rivals.unpack(file, directory);
  }

  /**
   * Compares.
   *
   * @param names of rivals
   * @param base the file of the set's rows
   * @param query the file of the set's queries
   */
  public ComparisonReport run(
      List<String> names,
      Dataset set,
      Path base,
      Path query,
      int rounds,
      int threads,
      OmenDbSettings settings)
      throws IOException {
    Path truth = work.resolve("truth.ivecs");
    set.truth().write(truth);
    SetFiles files =
        new SetFiles(
            base, query, truth, set.metric().label(), set.base().count(), set.queries().count());
    Map<String, List<RunResult>> results = new LinkedHashMap<>();
    results.put(OmenDb.NAME, new ArrayList<>());
    Map<String, String> missing = new LinkedHashMap<>();
    progress.start("install", names.size());
    for (String name : names) {
      rivals
          .install(name)
          .ifPresentOrElse(
              reason -> missing.put(name, reason), () -> results.put(name, new ArrayList<>()));
      progress.add(1);
    }
    progress.finish();
    for (int round = 0; round < rounds; round++) {
      List<String> order = new ArrayList<>(results.keySet());
      Collections.rotate(order, -round);
      for (String name : order) {
        progress.start("round " + (round + 1) + " of " + rounds + ", " + name, 1);
        try {
          RunResult result = run(name, set, files, threads, settings);
          results.computeIfAbsent(name, _ -> new ArrayList<>()).add(result);
        } catch (IOException e) {
          if (name.equals(OmenDb.NAME)) {
            throw e;
          }
          missing.put(name, String.valueOf(e.getMessage()));
          results.remove(name);
        }
        progress.add(1);
        progress.finish();
      }
    }
    Files.deleteIfExists(truth);
    Map<String, String> about = new LinkedHashMap<>();
    about.put(OmenDb.NAME, settings.toString());
    names.forEach(name -> about.put(name, rivals.about(name)));
    return new ComparisonReport(set, threads, results, about, missing);
  }

  private RunResult run(
      String name, Dataset set, SetFiles files, int threads, OmenDbSettings settings)
      throws IOException {
    return name.equals(OmenDb.NAME)
        ? omenDb.run(files, threads, settings)
        : rivals.run(name, set, files, threads);
  }
}
