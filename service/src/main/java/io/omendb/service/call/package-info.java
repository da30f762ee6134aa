/// What the calls of every RPC share: replies, listeners, guards, and the database being served.
///
/// [io.omendb.service.call.Serving] is the gate: a call gets the database or a collection from it,
/// or is refused while the server starts or drains. [io.omendb.service.call.UnaryListener] takes
/// the one message of a unary call; [io.omendb.service.call.GuardedService] answers requests that
/// are no valid messages, before a handler sees them. Imports `status` and `wire`. Threads: the
/// network threads of a call, one at a time a call.
@NullMarked
package io.omendb.service.call;

import org.jspecify.annotations.NullMarked;
