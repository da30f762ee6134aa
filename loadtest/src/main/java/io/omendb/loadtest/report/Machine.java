package io.omendb.loadtest.report;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/** The machine a figure was taken on, without which the figure says little. */
public final class Machine {

  private static final OperatingSystemMXBean PROCESS =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private Machine() {}

  /** Processor, cores, memory, kernel and JVM. */
  public static Map<String, Object> describe() {
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("processor", line(Path.of("/proc/cpuinfo"), "model name"));
    machine.put("cores", Runtime.getRuntime().availableProcessors());
    machine.put("memory", line(Path.of("/proc/meminfo"), "MemTotal"));
    machine.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    machine.put("arch", System.getProperty("os.arch"));
    machine.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    return machine;
  }

  /** Processor time that all threads of this process have had. */
  public static long processorNanos() {
    return PROCESS.getProcessCpuTime();
  }

  /** The most memory a process ever had resident, in bytes; 0 if that cannot be told. */
  public static long peakResidentBytes(long pid) {
    return statusBytes(pid, "VmHWM");
  }

  /** The memory a process has resident now, in bytes; 0 if that cannot be told. */
  public static long residentBytes(long pid) {
    return statusBytes(pid, "VmRSS");
  }

  private static long statusBytes(long pid, String key) {
    String value = line(Path.of("/proc/" + pid + "/status"), key);
    return value.endsWith(" kB") ? 1024 * Long.parseLong(value.replace(" kB", "").strip()) : 0;
  }

  /** What follows "key:" in a file of such lines; empty if there is none. */
  private static String line(Path file, String key) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith(key))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("");
    } catch (IOException | UncheckedIOException e) {
      return "";
    }
  }
}
