package io.omendb.service.write;

import io.omendb.proto.v1.Pressure;
import java.util.concurrent.TimeUnit;

/// When a bulk stream responds next: at once where the client waits for it, else so rarely that
/// acknowledgements gather meanwhile.
///
/// Guarded by its stream's monitor.
final class ResponsePacing {
  /// No response is wanted until something moves.
  static final long NEVER = PendingAck.FOREVER;

  /// Between responses while the client has closed its side and work goes on.
  static final long PROGRESS_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// Between responses while frames come quickly.
  private static final long MARKS_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /// Between responses that tell of nothing but pressure.
  private static final long PRESSURE_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private boolean responded;
  private long respondedNanos;
  private Pressure toldPressure = Pressure.PRESSURE_UNSPECIFIED;

  /// Whether a response was sent already.
  boolean hasResponded() {
    return responded;
  }

  /// Nanoseconds until a response is due; 0: now.
  ///
  /// @param news whether there are marks, refused frames or conflicts to tell
  /// @param closing whether the client has closed its side
  long pause(boolean news, Pressure pressure, boolean closing, long now) {
    long pause;
    if (!responded) {
      return 0;
    } else if (news) {
      pause = MARKS_PAUSE_NANOS;
    } else if (pressure != toldPressure) {
      pause = PRESSURE_PAUSE_NANOS;
    } else if (closing) {
      pause = PROGRESS_PAUSE_NANOS;
    } else {
      return NEVER;
    }
    return Math.max(0, pause - (now - respondedNanos));
  }

  /// A response was sent.
  void responded(Pressure pressure, long now) {
    responded = true;
    toldPressure = pressure;
    respondedNanos = now;
  }
}
