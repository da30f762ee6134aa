"""Blocks of rows, and their bytes on the wire.

A block is not put into a protobuf message: its ``bytes`` fields would take a copy each, and the message's bytes
another. The columns are joined to the rest of the message straight from where they lie: the only copy is the message
that gRPC takes. Fields may stand in any order, and a message may be put together from parts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

# What becomes a payload: JSON, text, or bytes as they are; None: none.
Payload: TypeAlias = "dict[str, Any] | list[Any] | str | bytes | None"

Ids: TypeAlias = "int | str | range | Sequence[int] | Sequence[str] | npt.NDArray[Any]"

# Field numbers of InsertRequest and BulkInsertRequest, with wire type 2.
_NUMERIC_IDS = b"\x1a"
_STRING_IDS = b"\x22"
_VECTORS_LE = b"\x32"
_PAYLOADS = b"\x3a"

_F4 = np.dtype("<f4")
_U8 = np.dtype("<u8")


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


@dataclass(frozen=True)
class Block:
    """Rows to be written. ``vectors`` is n × dimension of any number type, and is converted when it is encoded.

    Attributes:
        start: position of the first row in what the caller gave.
    """

    ids: npt.NDArray[np.uint64] | list[str]
    vectors: npt.NDArray[Any]
    payloads: Sequence[Payload] | None
    start: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    def split(self, rows: int, payload_bytes: int | None = None) -> Iterator[Block]:
        """Parts of as many rows, and of fewer, but one, where their payloads have more bytes than these."""
        start = 0
        while start < len(self):
            end = min(len(self), start + rows)
            payloads = None
            if self.payloads is not None:
                payloads = _fitting(self.payloads[start:end], payload_bytes)
                end = start + len(payloads)
            yield Block(self.ids[start:end], self.vectors[start:end], payloads, self.start + start)
            start = end

    def encode(self, head: bytes) -> bytes:
        """The message: its other fields, then the columns."""
        parts: list[bytes | memoryview] = [head]
        if isinstance(self.ids, list):
            for text in self.ids:
                encoded = text.encode()
                parts += (_STRING_IDS + varint(len(encoded)), encoded)
        else:
            _add(parts, _NUMERIC_IDS, self.ids)
        _add(parts, _VECTORS_LE, floats(self.vectors))
        if self.payloads is not None:
            for payload in self.payloads:
                encoded = encode_payload(payload)
                parts += (_PAYLOADS + varint(len(encoded)), encoded)
        return b"".join(parts)


def _fitting(payloads: Sequence[Payload], most: int | None) -> list[bytes]:
    fitting: list[bytes] = []
    size = 0
    for payload in payloads:
        encoded = encode_payload(payload)
        size += len(encoded)
        if most is not None and size > most and fitting:
            break
        fitting.append(encoded)
    return fitting


def _add(parts: list[bytes | memoryview], tag: bytes, column: npt.NDArray[Any]) -> None:
    if column.size > 0:
        parts += (tag + varint(column.nbytes), memoryview(column.data).cast("B"))


def floats(vectors: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """As they are where they are float32, little-endian and contiguous; else converted."""
    with np.errstate(over="ignore"):  # infinite then, which the server refuses by name
        return np.ascontiguousarray(vectors, dtype=_F4)


def block_of(ids: Ids, vectors: Any, payloads: Sequence[Payload] | None) -> Block:
    """The rows of a caller: one or many, vectors in anything that has the buffer protocol or that NumPy reads."""
    id_column = id_column_of(ids)
    rows = np.asarray(vectors)
    if rows.dtype.kind not in "fiu":
        raise TypeError(f"vectors is of type {rows.dtype}, expected numbers")
    if rows.ndim == 1 and len(id_column) > 0 and len(rows) % len(id_column) == 0:
        rows = rows.reshape(len(id_column), -1)
    if rows.ndim != 2 or len(rows) != len(id_column):
        raise ValueError(f"vectors is of shape {rows.shape}, expected ({len(id_column)}, dimension): one row an id")
    if payloads is not None and not isinstance(payloads, Sequence):
        payloads = list(payloads)
    if payloads is not None and len(payloads) != len(id_column):
        raise ValueError(f"payloads is {len(payloads)} long, expected {len(id_column)}: one an id")
    return Block(id_column, rows, payloads)


def id_column_of(ids: Ids) -> npt.NDArray[np.uint64] | list[str]:
    if isinstance(ids, str):
        return [ids]
    if isinstance(ids, (int, np.integer)):
        ids = [int(ids)]
    if isinstance(ids, range):
        if len(ids) > 0 and min(ids[0], ids[-1]) < 0:
            raise ValueError(f"ids has {min(ids[0], ids[-1])}, expected 0 to 2^64 - 1")
        return np.arange(ids.start, ids.stop, ids.step, dtype=_U8)
    if not isinstance(ids, np.ndarray):
        return _id_list(list(ids))
    if ids.dtype.kind in "UO":
        return id_column_of(ids.tolist())
    if ids.dtype.kind not in "iu":
        raise TypeError(f"ids is of type {ids.dtype}, expected whole numbers or strings")
    if ids.dtype.kind == "i" and ids.size > 0 and ids.min() < 0:
        raise ValueError(f"ids has {ids.min()}, expected 0 to 2^64 - 1")
    return np.ascontiguousarray(ids.reshape(-1), dtype=_U8)


def _id_list(ids: list[Any]) -> npt.NDArray[np.uint64] | list[str]:
    if ids and all(isinstance(one, str) for one in ids):
        return ids
    # Through Python's numbers: NumPy would make floats of large and small ones together.
    for one in ids:
        if isinstance(one, bool) or not isinstance(one, (int, np.integer)):
            raise TypeError(f"ids has {one!r}, expected whole numbers, or strings only")
        if not 0 <= one < 1 << 64:
            raise ValueError(f"ids has {one}, expected 0 to 2^64 - 1")
    return np.array(ids, dtype=_U8)


def encode_payload(payload: Payload) -> bytes:
    if payload is None:
        return b""
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return bytes(payload)
    if isinstance(payload, str):
        return payload.encode()
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def decode_payload(payload: bytes) -> Payload:
    """What was a dict or a list is one again; anything else stays bytes, and nothing is None."""
    if not payload:
        return None
    if payload[:1] in (b"{", b"["):
        try:
            return json.loads(payload)
        except ValueError:
            return payload
    return payload
