package io.omendb.loadtest.bench;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code omendb bench index}: the index in this process, without gRPC. */
@Command(name = "index", description = "Builds and searches in this process, without gRPC.")
final class IndexBench implements Callable<Integer> {

  @Override
  public Integer call() {
    return 0;
  }
}
