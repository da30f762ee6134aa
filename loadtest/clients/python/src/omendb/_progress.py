"""A progress bar on standard error, where that is a terminal."""

from __future__ import annotations

import sys
import time

_WIDTH = 30
_EVERY = 0.1


class Progress:
    """Shows how many rows have got how far; nothing where it is off."""

    def __init__(self, total: int | None, show: bool | None) -> None:
        self._total = total
        self._show = sys.stderr.isatty() if show is None else show
        self._start = time.monotonic()
        self._last = 0.0

    def update(self, received: int, searchable: int) -> None:
        now = time.monotonic()
        if self._show and now - self._last >= _EVERY:
            self._last = now
            self._draw(received, searchable)

    def finish(self, received: int, searchable: int) -> None:
        if self._show:
            self._draw(received, searchable)
            sys.stderr.write("\n")
            sys.stderr.flush()

    def _draw(self, received: int, searchable: int) -> None:
        seconds = max(1e-9, time.monotonic() - self._start)
        rate = f"{received / seconds:,.0f}/s"
        if self._total:
            share = min(1.0, received / self._total)
            bar = ("#" * round(_WIDTH * share)).ljust(_WIDTH)
            counts = f"[{bar}] {share:4.0%}  {received:,} of {self._total:,}"
        else:
            counts = f"{received:,} rows"
        sys.stderr.write(f"\r  {counts}  {rate}  searchable {searchable:,}\x1b[K")
        sys.stderr.flush()
