/// How a call is refused: one canonical code a cause, with details for programs.
///
/// [io.omendb.service.status.Refusal] carries code, reason and the field that is wrong;
/// [io.omendb.service.status.Refusals] has the sentences that several RPCs share;
/// [io.omendb.service.status.StatusMapper] is the one place where exceptions of the engine and the
/// storage become status codes. Imports `wire` for malformed messages, and nothing above.
/// Stateless; any thread.
@NullMarked
package io.omendb.service.status;

import org.jspecify.annotations.NullMarked;
