package io.omendb.storage.api;

import io.omendb.memory.PosixException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Objects;

/** What a failure is called in messages for people: without Java's names where there are words. */
public final class FailureWords {
  private FailureWords() {}

  /** The words for a failure; they name the file where it is one's. */
  public static String of(Exception failure) {
    return switch (failure) {
      case StorageException known -> Objects.requireNonNullElse(known.getMessage(), "unknown");
      case PosixException call -> Objects.requireNonNullElse(call.getMessage(), "unknown");
      case AccessDeniedException denied -> denied.getFile() + ": permission denied";
      case NoSuchFileException missing when missing.getReason() == null ->
          missing.getFile() + ": no such file";
      case NoSuchFileException missing ->
          missing.getFile() + ": no such file; " + missing.getReason();
      case FileSystemException other when other.getFile() != null && other.getReason() != null ->
          other.getFile() + ": " + other.getReason();
      default -> failure.toString();
    };
  }
}
