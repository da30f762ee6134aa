package io.omendb.loadtest.bench;

import picocli.CommandLine.Command;

/** {@code omendb bench}: holds the benches together. */
@Command(
    name = "bench",
    description = "Measures speed and recall.",
    subcommands = {
      IndexBench.class,
      GrowthBench.class,
      GrpcBench.class,
      StartBench.class,
      RivalsBench.class,
      TruthCommand.class,
      UnpackCommand.class
    })
public final class BenchCommand {}
