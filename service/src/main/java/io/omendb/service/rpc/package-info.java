/// The RPCs that generated messages serve: one short method each.
///
/// Get, Delete, Count and the collection and admin services. [io.omendb.service.rpc.GeneratedCalls]
/// runs their work on the request pool and turns what it throws into a status. Imports `read`,
/// `write`, `metrics`, `config` (the version), `call`, `status`, `wire` (counters); nothing but the
/// server imports it. Threads: bodies run on the request threads; an answer that waits for the log
/// is sent by the acknowledging thread.
@NullMarked
package io.omendb.service.rpc;

import org.jspecify.annotations.NullMarked;
