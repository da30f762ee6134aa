"""A bulk insert: what was sent, how far the server has got, and what is to be sent again after a break.

The state is apart from the drivers that move it, one with threads (client.py) and one with asyncio (aio.py).
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from omendb._errors import BulkInsertError, OmenDBError
from omendb._progress import Progress
from omendb._wire import Block
from omendb.v1 import types_pb2 as types
from omendb.v1 import vector_service_pb2 as messages

# Bytes of vectors in a frame: larger ones gain nothing.
_FRAME_BYTES = 256 << 10
_FRAME_ROWS = 65_536

# Frames under way that the server has not read, by its pressure. One that drains breaks the stream by itself.
_WINDOWS = {
    messages.PRESSURE_THROTTLED: 8,
    messages.PRESSURE_MEMORY: 2,
    messages.PRESSURE_DISK: 2,
    messages.PRESSURE_DRAINING: 0,
}
_WINDOW = 64

# Frames kept to be sent again: views of the caller's arrays, or the blocks of an iterator.
_KEPT_FRAMES = 4_096


@dataclass(frozen=True)
class RefusedFrame:
    """A frame of which nothing was applied.

    Attributes:
        start: position of its first row in what the caller gave.
        count: its rows.
        reason: the name of an ErrorReason.
        items: the first invalid rows: position in what the caller gave, field, value, what was expected.
    """

    start: int
    count: int
    reason: str
    message: str
    items: list[tuple[int, str, str, str]]


@dataclass
class BulkResult:
    """What a bulk insert did.

    Attributes:
        stream_id: under which it may be resumed.
        row_count: rows that the server has settled, refused ones included.
        skipped_count: of them, rows that an earlier call with this stream_id had written.
        inserted_count, updated_count, conflict_count: None where a break lost the count.
        reconnects: how often the stream broke and was resumed.
        refused: frames of which nothing was applied.
    """

    stream_id: str
    row_count: int = 0
    skipped_count: int = 0
    inserted_count: int | None = None
    updated_count: int | None = None
    conflict_count: int | None = None
    reconnects: int = 0
    refused: list[RefusedFrame] = field(default_factory=list)


class Closed(Exception):
    """All frames were sent."""


class BulkStream:
    """Frames with their numbers, and the server's marks. Not thread-safe: its driver locks."""

    def __init__(
        self,
        opening: messages.BulkInsertRequest,
        blocks: Iterable[Block],
        total: int | None,
        frame_rows: int | None,
        progress: bool | None,
    ) -> None:
        opening.stream_id = opening.stream_id or uuid.uuid4().hex
        opening.resume = True
        if total is not None:
            opening.expected_count = total
        self.result = BulkResult(opening.stream_id)
        self._opening = opening
        self._frames = _frames(blocks, frame_rows)
        self._kept: deque[tuple[int, Block]] = deque()
        self._taken = 0  # frames that were taken from the caller
        self._next = 1  # to be sent on this connection
        self._received = 0
        self._searchable = 0
        self._opened = False
        self._resumed = False
        self._window = _WINDOW
        self._keeps_durable = True
        self._rows = _Rows()
        self._progress = Progress(total, progress)
        self.closed = False  # all was sent, on this connection or an earlier one

    def connect(self) -> bytes:
        """Begins a connection; returns the message that opens it."""
        self._opened = False
        self._window = _WINDOW
        return self._opening.SerializeToString()

    def broke(self) -> None:
        """The connection is gone."""
        self.result.reconnects += 1

    def next(self) -> bytes | None:
        """The next message; None: it must wait for an answer. Raises Closed after the last."""
        if not self._opened:
            return None
        if self._next > self._taken:
            if len(self._kept) >= _KEPT_FRAMES or not self._may_send():
                return None
            if not self._take():
                self.closed = True
                raise Closed
        elif not self._may_send():
            return None
        number, block = self._kept[self._next - self._kept[0][0]]
        self._next += 1
        head = messages.BulkInsertRequest(frame_sequence=number)
        return block.encode(head.SerializeToString())

    def _may_send(self) -> bool:
        return self._next - 1 - self._received < self._window

    def _take(self) -> bool:
        block = next(self._frames, None)
        if block is None:
            return False
        self._taken += 1
        self._kept.append((self._taken, block))
        self._rows.took(self._taken, len(block))
        return True

    def answered(self, answer: messages.BulkInsertResponse) -> None:
        """Takes in an answer of the server."""
        for refused in answer.refused_frames:
            self.result.refused.append(self._refused(refused))
        if answer.HasField("opening"):
            self._open(answer.opening)
        self._received = max(self._received, answer.received_frame_sequence)
        self._searchable = max(self._searchable, answer.searchable_frame_sequence)
        settled = answer.durable_frame_sequence if self._keeps_durable else answer.received_frame_sequence
        self._settle(settled)
        if answer.pressure != messages.PRESSURE_UNSPECIFIED:
            self._window = _WINDOWS.get(answer.pressure, _WINDOW)
        if answer.HasField("summary"):
            self._sum_up(answer.summary)
        self._progress.update(self._rows.up_to(self._received), self._rows.up_to(self._searchable))

    def _open(self, opening: messages.BulkInsertOpening) -> None:
        mark = opening.durable_frame_sequence
        # In mode OS the mark follows when a checkpoint syncs: what is kept would grow without end.
        self._keeps_durable = opening.durability_mode != types.DURABILITY_MODE_OS
        if self._kept and mark + 1 < self._kept[0][0]:
            raise OmenDBError(
                f"frames {mark + 1} to {self._kept[0][0] - 1} of stream {self.result.stream_id} were acknowledged and"
                " are lost, as a power cut may do in durability mode OS: insert these rows again"
            )
        if not self._resumed and self._taken == 0 and opening.resumed:
            self._skip(mark)
        self._resumed = True
        self._received = max(mark, 0)
        self._settle(mark)
        self._next = mark + 1
        self._opened = True

    def _skip(self, mark: int) -> None:
        """Leaves out what an earlier call has written."""
        while self._taken < mark and self._take():
            self._kept.pop()
        self.result.skipped_count = self._rows.up_to(self._taken)

    def _settle(self, mark: int) -> None:
        while self._kept and self._kept[0][0] <= mark:
            self._kept.popleft()

    def _refused(self, refused: messages.RefusedFrame) -> RefusedFrame:
        start = self._rows.up_to(refused.frame_sequence - 1)
        count = self._rows.up_to(refused.frame_sequence) - start
        items = [(start + item.index, item.field, item.value, item.expected) for item in refused.items]
        name = types.ErrorReason.Name(refused.reason).removeprefix("ERROR_REASON_")
        return RefusedFrame(start, count, name, refused.message, items)

    def _sum_up(self, summary: messages.BulkInsertSummary) -> None:
        if self.result.reconnects == 0:
            self.result.inserted_count = summary.inserted_count
            self.result.updated_count = summary.updated_count
            self.result.conflict_count = summary.conflict_count

    def finish(self) -> BulkResult:
        """The result, after the server has ended the stream. Raises BulkInsertError where frames were refused."""
        result = self.result
        result.row_count = self._rows.up_to(self._taken)
        self._progress.finish(result.row_count, self._rows.up_to(self._searchable))
        if result.refused:
            first = result.refused[0]
            rows = sum(refused.count for refused in result.refused)
            raise BulkInsertError(
                f"{rows} of {result.row_count} rows, in {len(result.refused)} frames, were refused;"
                f" rows {first.start} to {first.start + first.count - 1}: {first.message}",
                result,
            )
        return result


class _Rows:
    """How many rows the first so many frames hold; runs of frames of one length are one entry."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int, int]] = []  # first frame, rows before it, rows of each

    def took(self, frame: int, rows: int) -> None:
        if not self._runs or self._runs[-1][2] != rows:
            self._runs.append((frame, self.up_to(frame - 1), rows))

    def up_to(self, frame: int) -> int:
        for first, before, rows in reversed(self._runs):
            if first <= frame:
                return before + (frame - first + 1) * rows
        return 0


def _frames(blocks: Iterable[Block], frame_rows: int | None) -> Iterator[Block]:
    for block in blocks:
        if len(block) > 0:
            row_bytes = max(1, 4 * block.vectors.shape[1])
            rows = frame_rows or min(_FRAME_ROWS, max(1, _FRAME_BYTES // row_bytes))
            yield from block.split(rows)
