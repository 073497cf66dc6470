"""The points of a session's timeline out of the store, a stretch at a time, so that little of the evidence is held."""

import math
from collections.abc import Iterable, Iterator
from typing import Final

from pydantic import BaseModel

from services.fusion.accumulate import BIN_S
from services.fusion.results import TimelinePoint, build_timeline, smoothing_at
from services.fusion.state import SessionState
from services.fusion.store.keys import BINS_PER_PAGE
from services.fusion.store.session_store import SessionStore
from shared.messages.speech import MAX_SPEECH_SECONDS

_STRETCH_S: Final = 600
_PAGE_S: Final = BINS_PER_PAGE * BIN_S
_EMPTY: Final = '"timeline":[]'


def points_of(
    store: SessionStore,
    state: SessionState,
    start_s: float = 0.0,
    end_s: float = math.inf,
    *,
    length: int = 1,
    evidence: bool = False,
) -> Iterator[TimelinePoint]:
    """Yield the points that overlap a span, in order; their smoothing takes in what lies outside of it.

    Args:
        store: Where the session is.
        state: The session's sums and counts.
        start_s: Where the span begins.
        end_s: Where it ends; not part of it.
        length: How many seconds a point is.
        evidence: Whether every point names the scores that it stands on.
    """
    around_s = smoothing_at(length).reach * BIN_S
    stretch_s = length * max(1, _STRETCH_S // length)
    # A long point overlaps a span also where what it stands on lies beside it.
    minutes = store.minutes(state.session_id, start_s - length - around_s, end_s + length + around_s)
    edges = {place // stretch_s for minute in minutes for place in (minute * _PAGE_S, (minute + 1) * _PAGE_S - 1)}
    for first_s in (int(edge) * stretch_s for edge in sorted(edges)):
        last_s = first_s + stretch_s
        bins = store.timeline(state.session_id, first_s - around_s, last_s + around_s, minutes)
        # An utterance that begins before the stretch may reach into it.
        since_s = max(0.0, first_s - around_s - MAX_SPEECH_SECONDS)
        scores = store.evidence(state.session_id, None, since_s, last_s + around_s) if evidence and bins else ()
        for point in build_timeline(state, bins, evidence=scores, length=length):
            if first_s <= point.start_s < last_s and point.start_s < end_s and point.end_s > start_s:
                yield point


def length_for(store: SessionStore, session_id: str, start_s: float, end_s: float, points: int) -> int:
    """Return how many seconds a point has to be, so that a span has no more points than wanted."""
    minutes = store.minutes(session_id, start_s, end_s)
    if not minutes:
        return 1
    first, last = (store.timeline(session_id, m * _PAGE_S, (m + 1) * _PAGE_S) for m in (minutes[0], minutes[-1]))
    begins_s = first[0].index * BIN_S if first else minutes[0] * _PAGE_S
    ends_s = (last[-1].index + 1) * BIN_S if last else (minutes[-1] + 1) * _PAGE_S
    begins_s, ends_s = max(begins_s, start_s), min(ends_s, end_s)
    length = max(1, math.ceil((ends_s - begins_s) / points))
    # Points lie at multiples of their length, so that those at both ends may reach beyond the span.
    while math.ceil(ends_s / length) - math.floor(begins_s / length) > points:
        length += 1
    return length


def as_json(model: BaseModel, points: Iterable[TimelinePoint], *, exclude_unset: bool = False) -> bytes:
    """Return a model whose timeline is empty as JSON with these points in it, of which few at once are objects."""
    # A quotation mark inside of a JSON string is escaped, so that only the field itself reads like this.
    head, _, tail = model.model_dump_json(exclude_unset=exclude_unset).partition(_EMPTY)
    written = b",".join(point.model_dump_json().encode() for point in points)
    return b"".join([head.encode(), _EMPTY[:-1].encode(), written, b"]", tail.encode()])
