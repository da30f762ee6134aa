/**
 * Native memory: address space, Linux system calls, and the one place of unchecked access.
 *
 * <p>Everything the hot paths read (vectors, codes, adjacency lists) lies in an {@link
 * io.omendb.memory.AddressSpace}: a contiguous range of addresses reserved once, so that a row is
 * found by one multiplication and never moves. {@link io.omendb.memory.Memory} reads it without
 * bounds or liveness checks; the owners of the ranges guard both (an ordinal is checked against its
 * count before it becomes an address, and nothing is unmapped while a lease is held).
 */
@NullMarked
package io.omendb.memory;

import org.jspecify.annotations.NullMarked;
