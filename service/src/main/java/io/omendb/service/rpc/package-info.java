/// The RPCs that generated messages serve: one short method each.
///
/// Get, Delete, Count and the collection and admin services. [io.omendb.service.rpc.GeneratedCalls]
/// runs their work on the request pool and turns what it throws into a status. Imports `read`,
/// `write`, `metrics`, `call`, `status`; nothing but the server imports it.
@NullMarked
package io.omendb.service.rpc;

import org.jspecify.annotations.NullMarked;
