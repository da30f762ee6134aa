"""A bulk insert: what was sent, how far the server has got, and what is to be sent again after a break.

The state is apart from the drivers that move it, one with threads (client.py) and one with asyncio (aio.py).
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from omendb._errors import BulkInsertError, OmenDBError
from omendb._progress import Progress
from omendb._wire import Block
from omendb.v1 import types_pb2 as types
from omendb.v1 import vector_service_pb2 as messages

# Bytes of vectors in a frame: larger ones gain nothing.
_FRAME_BYTES = 256 << 10
_FRAME_ROWS = 65_536

# Bytes of payloads in it: with the vectors far below what a server takes as one message.
_FRAME_PAYLOAD_BYTES = 1 << 20

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


class Step(Enum):
    """What a stream wants next."""

    WAIT = "for an answer of the server"
    TAKE = "a frame of the caller's rows"
    SEND = "a frame to be sent"
    CLOSE = "the end of its side"


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
        self._exhausted = False  # it has no more
        self._fault: BaseException | None = None  # of the caller's blocks
        self._settled = 0  # greatest frame that is kept no more
        self._next = 1  # to be sent on this connection
        self._received = 0
        self._searchable = 0
        self._opened = False
        self._resumed = False  # the first connection was opened
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

    def step(self) -> Step:
        """What to do next."""
        if not self._opened or self._next - 1 - self._received >= self._window:
            return Step.WAIT
        if self._next <= self._taken:
            return Step.SEND
        if self._exhausted:
            return Step.CLOSE
        return Step.TAKE if len(self._kept) < _KEPT_FRAMES else Step.WAIT

    @property
    def owed(self) -> bool:
        """The server has something to say, and is not just waiting for the caller's rows."""
        return not self._opened or self._received < self._next - 1 or self.closed

    def pull(self) -> Block | None:
        """The next frame of the caller, None after the last; may take long, and needs no lock but one of its own."""
        if self._fault is not None:
            raise self._fault  # again on another connection: the iterator itself would say that it has ended
        try:
            return next(self._frames, None)
        except BaseException as e:
            self._fault = e
            raise

    def took(self, block: Block | None) -> None:
        """Takes in what was pulled."""
        if block is None:
            self._exhausted = True
            return
        self._taken += 1
        self._rows.took(self._taken, len(block))
        if self._taken > self._settled:
            self._kept.append((self._taken, block))
        else:
            self.result.skipped_count = self._rows.up_to(self._taken)  # an earlier call has written it

    def send(self) -> bytes:
        """The frame to be sent, encoded."""
        number, block = self._kept[self._next - self._kept[0][0]]
        self._next += 1
        head = messages.BulkInsertRequest(frame_sequence=number)
        return block.encode(head.SerializeToString())

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
        received = self._rows.up_to(min(self._received, self._taken))
        self._progress.update(received, self._rows.up_to(min(self._searchable, self._taken)))

    def _open(self, opening: messages.BulkInsertOpening) -> None:
        mark = opening.durable_frame_sequence
        # In mode OS the mark follows when a checkpoint syncs: what is kept would grow without end.
        self._keeps_durable = opening.durability_mode != types.DURABILITY_MODE_OS
        if mark < self._settled:
            raise OmenDBError(
                f"frames {mark + 1} to {self._settled} of stream {self.result.stream_id} were acknowledged and"
                " are lost, as a power cut may do in durability mode OS: insert these rows again"
            )
        if not self._resumed:
            self._settled = mark
            self._resumed = True
        self._received = mark
        self._settle(mark)
        self._next = mark + 1
        self._opened = True

    def _settle(self, mark: int) -> None:
        while self._kept and self._kept[0][0] <= mark:
            self._settled = self._kept.popleft()[0]

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
            yield from block.split(rows, None if frame_rows else _FRAME_PAYLOAD_BYTES)
