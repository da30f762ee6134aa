/// The gRPC edge of the engine: it reads the wire, calls a collection, and maps what comes back.
///
/// This package starts and stops the process: [io.omendb.service.Main] reads the settings, opens
/// the ports, recovers, serves and drains; [io.omendb.service.OmenServer] builds what the rooms
/// below offer into one server; [io.omendb.service.Health] tells probes. Arrows, each "may import":
///
/// ```text
/// service ──► rpc ──► metrics ──► read ──► write ──► call ──► status ──► wire
///    └─────────┴────► config
/// ```
///
/// The life of a request: network buffers are read by `wire` without a copy; `write` or `read`
/// checks it; writes are appended on the network thread and acknowledged by one acknowledging
/// thread; reads run on the request threads, behind a bounded queue; what fails becomes a
/// `status.Refusal` and leaves as one canonical code.
@NullMarked
package io.omendb.service;

import org.jspecify.annotations.NullMarked;
