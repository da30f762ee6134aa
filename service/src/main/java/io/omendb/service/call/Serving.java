package io.omendb.service.call;

import io.omendb.engine.Collection;
import io.omendb.engine.CollectionNotFoundException;
import io.omendb.engine.CollectionQuarantinedException;
import io.omendb.engine.Database;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import org.jspecify.annotations.Nullable;

/// Whether the server serves, and what: every call asks here first. Any thread.
public final class Serving {
  /// The life of a server; it only moves on.
  public enum State {
    /// The port is open, the data is not.
    RECOVERING,
    /// Everything is served.
    SERVING,
    /// New calls are refused; those that run may end.
    DRAINING
  }

  // Written under the monitor, since a state never goes back; read by any call without it.
  private volatile State state = State.RECOVERING;
  private volatile @Nullable Database database;

  public State state() {
    return state;
  }

  /// The data is open.
  public synchronized void serve(Database opened) {
    database = opened;
    if (state == State.RECOVERING) {
      state = State.SERVING;
    }
  }

  /// No new calls from here on.
  public synchronized void drain() {
    state = State.DRAINING;
  }

  /// The database, for a new call.
  public Database database() throws Refusal {
    Database opened = database;
    return switch (state) {
      case RECOVERING -> throw Refusals.recovering();
      case DRAINING -> throw Refusals.draining();
      case SERVING -> {
        if (opened == null) {
          throw Refusals.recovering();
        }
        yield opened;
      }
    };
  }

  /// The database, whatever the state; null before it is open.
  public @Nullable Database databaseOrNull() {
    return database;
  }

  /// The collection that a new call names.
  public Collection collection(String name) throws Refusal {
    Database opened = database();
    if (name.isEmpty()) {
      throw Refusals.required("collection");
    }
    try {
      return opened.collection(name);
    } catch (CollectionNotFoundException | CollectionQuarantinedException e) {
      throw StatusMapper.refusal(e, name);
    }
  }
}
