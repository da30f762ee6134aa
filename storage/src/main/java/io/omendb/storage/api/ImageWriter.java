package io.omendb.storage.api;

import java.io.IOException;

/** Writes the derived image of a collection at a checkpoint. */
@FunctionalInterface
public interface ImageWriter {
  /** Writes all of it, in sequence, on the thread that takes the checkpoint. */
  void write(ImageSink sink) throws IOException;
}
