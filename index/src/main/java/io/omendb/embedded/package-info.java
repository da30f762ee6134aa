/// The database inside an application: open, put, search, close, with arrays.
///
/// [io.omendb.embedded.EmbeddedDatabase] is a data directory, which a server may open at another
/// time; [io.omendb.embedded.EmbeddedCollection] has the data. Below it is [io.omendb.engine], for
/// who wants streams, string ids or results without allocation. docs/embedding.md has the flags of
/// the JVM.
@NullMarked
package io.omendb.embedded;

import org.jspecify.annotations.NullMarked;
