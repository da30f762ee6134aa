/// The wire, read and written by hand where it is hot.
///
/// The requests of Insert, BulkInsert, Search and SearchBatch are read where the transport left
/// them. protobuf-java has no decoder for direct buffers any more (since 4.34 it copies them to the
/// heap first), so generated code would copy each vector three times and allocate it twice.
///
/// ```
///   InputStream of gRPC ── Fragments.gather ──> fragments (network buffers, not copied)
///                                                  │ RowsReader: headers only, payloads skipped
///                                                  v
///                                               RowsMessage = io.omendb.storage.RowSource
///                                                  │ copyVectors: the one copy
///                                                  v
///                                               mapped extent
/// ```
///
/// **Lifetime.** A [RowsMessage] looks into network buffers and is valid only inside `onMessage`:
/// gRPC closes the stream, and thereby gives the buffers back, as soon as that returns. A
/// [QueryMessage] owns a copy of its query and may travel to another thread; both are pooled and
/// end with `close`.
///
/// **Errors.** An exception thrown from `Marshaller.parse` would reach the client as UNKNOWN. A
/// message that is not protobuf therefore comes as a message object that says what is wrong, and
/// its handler closes the call.
///
/// What is accepted is what a conforming proto3 parser accepts: fields in any order, packed fields
/// in several records or unpacked, the last of repeated scalars, unknown fields of every wire type.
/// A fuzz test holds the readers against the generated parsers.
@NullMarked
package io.omendb.service.wire;

import org.jspecify.annotations.NullMarked;
