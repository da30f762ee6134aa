package io.omendb.loadtest.bench;

import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.loadtest.report.Machine;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The server a bench runs against: one that is there, or one that it starts and ends. */
final class BenchTarget implements AutoCloseable {

  private static final String EMBEDDED = "embedded";

  private final InetSocketAddress address;
  private final @Nullable ServerProcess process;
  private final @Nullable TemporaryDirectory directory;

  private BenchTarget(
      InetSocketAddress address,
      @Nullable ServerProcess process,
      @Nullable TemporaryDirectory directory) {
    this.address = address;
    this.process = process;
    this.directory = directory;
  }

  /** Opens {@code HOST:PORT}, or starts a server for {@code embedded}. */
  static BenchTarget open(String target, @Nullable Path data, String durability, String heap)
      throws IOException {
    if (!target.equals(EMBEDDED)) {
      return new BenchTarget(address(target), null, null);
    }
    TemporaryDirectory directory = data == null ? TemporaryDirectory.create("omendb-bench") : null;
    Path used = directory == null ? Objects.requireNonNull(data) : directory.path();
    ServerProcess process =
        ServerProcess.start(
            ServerProcess.Options.defaults(used)
                .withHeap(heap)
                .withArguments("--durability", durability));
    return new BenchTarget(process.address(), process, directory);
  }

  private static InetSocketAddress address(String target) {
    int colon = target.lastIndexOf(':');
    if (colon < 1) {
      throw new IllegalArgumentException("--target=" + target + ", expected HOST:PORT or embedded");
    }
    return InetSocketAddress.createUnresolved(
        target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)));
  }

  InetSocketAddress address() {
    return address;
  }

  /** The most memory the server had resident; of one that others started, what it has now. */
  long peakResidentBytes(Connection connection) {
    return process == null
        ? connection.serverStats().getResidentBytes()
        : Machine.peakResidentBytes(process.pid());
  }

  @Override
  public void close() throws IOException {
    if (process != null) {
      process.close();
    }
    if (directory != null) {
      directory.close();
    }
  }
}
