/**
 * The words that both sides of a store speak: schema, options, rows as they come in, results,
 * images, exceptions. The lowest floor of this module: it imports nothing but {@code
 * io.omendb.memory}.
 *
 * <p>Only this package and {@link io.omendb.storage} are for other modules. The two are apart so
 * that the rooms below the store may throw and take what its callers see without importing the
 * store.
 *
 * <p>Errors. What a caller can act on is a checked type of its own, all of them {@link
 * io.omendb.storage.api.StorageException}: {@link io.omendb.storage.api.CorruptFileException} names
 * file and offset, {@link io.omendb.storage.api.DiskFullException} leaves everything as it was,
 * {@link io.omendb.storage.api.StoreFailedException} means that only a restart can tell what
 * survived. Misuse is an {@link java.lang.IllegalArgumentException} with value and expectation.
 */
@NullMarked
package io.omendb.storage.api;

import org.jspecify.annotations.NullMarked;
