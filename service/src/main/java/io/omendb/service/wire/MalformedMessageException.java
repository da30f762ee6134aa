package io.omendb.service.wire;

/// The bytes are not the message they should be: truncated, bad UTF-8, a length past the end.
///
/// Has no stack trace: it is the client's fault, and a flood of it must stay cheap.
public final class MalformedMessageException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int offset;

  /// The fault found at `offset`, bytes from the start of the message.
  public MalformedMessageException(String fault, int offset) {
    super(fault + " at byte " + offset, null, false, false);
    this.offset = offset;
  }

  /// Where the fault is, bytes from the start of the message.
  public int offset() {
    return offset;
  }
}
