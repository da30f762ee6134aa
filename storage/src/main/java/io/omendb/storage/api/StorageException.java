package io.omendb.storage.api;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Something storage cannot do, each cause with its own type. */
public abstract sealed class StorageException extends IOException
    permits CorruptFileException,
        DiskFullException,
        CollectionFullException,
        LockedException,
        FormatException,
        StoreFailedException,
        CollectionExistsException,
        UnknownCollectionException {
  private static final long serialVersionUID = 1L;

  StorageException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
