/// Settings: what can be set, from where, and what the server makes of it.
///
/// [io.omendb.service.config.Option] lists every setting once; the command line, the environment,
/// the file and the table of the README all follow from it. [io.omendb.service.config.ServerConfig]
/// is the checked result, a value. Nothing here knows the server. Threads: start-up only.
@NullMarked
package io.omendb.service.config;

import org.jspecify.annotations.NullMarked;
