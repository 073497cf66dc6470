"""Bring sound and frames of one file into presentation order without holding much of either. Pure."""

import heapq
from typing import Final

from services.capture.sources.port import AudioBlock, VideoFrame

_MAX_HELD_S: Final = 2.0


class Interleaver:
    """Merges two streams, each in order, of a file that may store them some way apart.

    An item waits until the other stream has come as far, or until it is two seconds behind the newest item.

    Args:
        kinds: What to expect: one or both of :class:`AudioBlock` and :class:`VideoFrame`.
    """

    def __init__(self, kinds: set[type[AudioBlock | VideoFrame]]) -> None:
        self._reached_s: dict[type[AudioBlock | VideoFrame], float] = dict.fromkeys(kinds, 0.0)
        self._heap: list[tuple[float, int, AudioBlock | VideoFrame]] = []
        self._count = 0

    def push(self, item: AudioBlock | VideoFrame) -> list[AudioBlock | VideoFrame]:
        """Take the next item of its kind and return what may go on, in order."""
        self._reached_s[type(item)] = item.start_s
        heapq.heappush(self._heap, (item.start_s, self._count, item))
        self._count += 1
        reached = self._reached_s.values()
        return self._pop(max(min(reached), max(reached) - _MAX_HELD_S))

    def flush(self) -> list[AudioBlock | VideoFrame]:
        """Return everything that still waits, in order."""
        return self._pop(float("inf"))

    def _pop(self, until_s: float) -> list[AudioBlock | VideoFrame]:
        items = []
        while self._heap and self._heap[0][0] <= until_s:
            items.append(heapq.heappop(self._heap)[2])
        return items
