"""The errors of a server, as exceptions that say which field, what was there, and what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

if TYPE_CHECKING:
    from omendb._bulk import BulkResult

_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True)
class Violation:
    """One fault in a request: the path of the field, such as ``vectors[17]``, and a sentence."""

    field: str
    description: str


class OmenDBError(Exception):
    """A call that failed. Nothing of it was applied, unless ``reason`` is OUTCOME_UNKNOWN.

    Attributes:
        code: the gRPC status code.
        reason: the name of an ErrorReason, such as ``DIMENSION_MISMATCH``; empty where gRPC itself failed the call.
        metadata: what the reason tells besides, such as field, value and expected.
        violations: faults of the request, at most ten.
        retry_after: seconds after which the server says that it may be tried again, or None.
    """

    def __init__(
        self,
        message: str,
        code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: Iterable[Violation] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.violations = list(violations)
        self.retry_after = retry_after

    @property
    def field(self) -> str:
        """Path of the first field that is wrong; empty where none is."""
        return self.violations[0].field if self.violations else self.metadata.get("field", "")

    @property
    def value(self) -> str:
        """What was there."""
        return self.metadata.get("value", "")

    @property
    def expected(self) -> str:
        """What should be there."""
        return self.metadata.get("expected", "")

    def __str__(self) -> str:
        return f"{self.message} ({self.reason or self.code.name})"


class InvalidArgumentError(OmenDBError):
    """The request is wrong: see ``field``, ``value`` and ``expected``."""


class NotFoundError(OmenDBError):
    """There is no such collection."""


class AlreadyExistsError(OmenDBError):
    """There is a collection, or a stream, of this name."""


class ResourceExhaustedError(OmenDBError):
    """Memory, disk, a queue or a limit is full; ``retry_after`` is set where waiting helps."""


class UnavailableError(OmenDBError):
    """The server is not there, recovers, or is about to stop."""


class DeadlineExceededError(OmenDBError):
    """The time given did not suffice. Whether a write was applied is not known; an upsert may be repeated."""


class DataLossError(OmenDBError):
    """The collection's files are damaged; ``metadata`` has file and offset."""


class BulkInsertError(OmenDBError):
    """Frames of a bulk insert were refused; all others were applied. ``result.refused`` says which rows and why."""

    def __init__(self, message: str, result: BulkResult) -> None:
        super().__init__(message, grpc.StatusCode.INVALID_ARGUMENT)
        self.result = result


_BY_CODE: dict[grpc.StatusCode, type[OmenDBError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExistsError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.DATA_LOSS: DataLossError,
}


@dataclass
class _Details:
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    retry_after: float | None = None


def error_of(error: grpc.RpcError) -> OmenDBError:
    """The exception that stands for a failed call, sync or async."""
    code = error.code()
    details = _details(error.trailing_metadata() or ())
    return _BY_CODE.get(code, OmenDBError)(
        error.details() or code.name,
        code,
        details.reason,
        details.metadata,
        details.violations,
        details.retry_after,
    )


def _details(trailers: Iterable[tuple[str, str | bytes]]) -> _Details:
    details = _Details()
    for key, value in trailers:
        if key != _DETAILS or isinstance(value, str):
            continue
        try:
            status = status_pb2.Status.FromString(value)
        except DecodeError:
            continue  # not ours: a proxy's
        for packed in status.details:
            _add(details, packed)
    return details


def _add(details: _Details, packed) -> None:
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    if packed.Unpack(info):
        details.reason = info.reason
        details.metadata = dict(info.metadata)
    elif packed.Unpack(request):
        details.violations = [Violation(v.field, v.description) for v in request.field_violations]
    elif packed.Unpack(retry):
        details.retry_after = retry.retry_delay.ToTimedelta().total_seconds()
