"""Signals that wait for the end of a step."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["Interrupts"]

WORDS = {signal.SIGINT: "by hand", signal.SIGTERM: "by the system"}


class Interrupts:
    """Note an interrupt instead of breaking into a step; a second one breaks in.

    Handlers exist only in the main thread, elsewhere this does nothing. Those that were there
    before return at the end; a signal that was ignored stays ignored.

    >>> with Interrupts() as interrupts:
    ...     signal.raise_signal(signal.SIGINT)
    ...     print("the step goes on to its end;", "stopped", interrupts.asked)
    the step goes on to its end; stopped by hand
    """

    def __init__(self) -> None:
        self.asked: str | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in WORDS:
                # None: a handler that Python did not set and could not put back
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = WORDS[signal.Signals(number)]
