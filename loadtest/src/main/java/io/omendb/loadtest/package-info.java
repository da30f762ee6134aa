/**
 * The command line, and what measures OmenDB: for speed, for recall and for keeping its promises.
 *
 * <pre>
 *   data      files of vectors, exact answers, recall
 *   client    a server as a child process, and load over real sockets
 *   bench     the benches and the demo
 *   report    JSON, tables, progress bars, latencies
 * </pre>
 *
 * <p>Everything but the bench of the index knows OmenDB by its wire contract alone.
 */
@NullMarked
package io.omendb.loadtest;

import org.jspecify.annotations.NullMarked;
