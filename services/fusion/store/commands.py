"""What is asked of Redis for each thing that happens: a script, the keys that it touches, and its arguments."""

import json
from dataclasses import dataclass
from typing import Final

from services.fusion.accumulate import contribution_of
from services.fusion.speaker import speaker_sums_of
from services.fusion.state import Loss, Outcome
from services.fusion.store.keys import BINS_PER_PAGE, SPEAKER, Keys
from shared.emotions import Modality
from shared.messages.score import ModalityScore
from shared.messages.session import USUAL_MAX, USUAL_MIN, SessionEnded, SessionForget, SessionStarted
from shared.messages.speech import MAX_SPEECH_SECONDS


@dataclass(frozen=True, slots=True)
class EndedOutside:
    """The end of a session that not its agent tells of, with as much as is known of what was published.

    Attributes:
        ended: The end.
    """

    ended: SessionEnded

    @property
    def session_id(self) -> str:
        """Which session it is."""
        return self.ended.session_id


Operation = SessionStarted | SessionEnded | EndedOutside | SessionForget | ModalityScore | Loss

_RANKS: Final = {Outcome.EXPIRED: "0", Outcome.FAILED: "1"}
_SCORE_RANK: Final = "2"
_FORGOTTEN_RANK: Final = "3"
_TOTALS: Final = 4
"""Where the key of the totals stands among those of an account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One call of a Lua script.

    Attributes:
        script: Its file name.
        keys: The keys that it touches, in the order that the script states.
        arguments: Its arguments, in the order that the script states.
    """

    script: str
    keys: list[str]
    arguments: list[str | int | float]


def command_for(operation: Operation, unknown_s: int) -> Command:
    """Return what carries out an operation.

    Args:
        operation: What happened.
        unknown_s: Seconds that things of a session are kept whose start has not been heard.
    """
    match operation:
        case SessionStarted():
            return _start(operation)
        case SessionEnded():
            return _end(operation, unknown_s, outside=False)
        case EndedOutside():
            return _end(operation.ended, unknown_s, outside=True)
        case SessionForget():
            keys = Keys(operation.session_id)
            stretch = [operation.start_s, operation.end_s]
            return Command(script="forget.lua", keys=[keys.tombstone, keys.meta], arguments=[unknown_s, *stretch])
        case ModalityScore():
            return _add(operation, _value_of(operation), unknown_s)
        case Loss():
            return _lose(operation, unknown_s)


def started_from(value: str) -> SessionStarted:
    """Return how a session began, as it is kept.

    Versions before this one took any usual mood of 1..5, and compared with the nearest that leaves room.
    """
    fields = json.loads(value)
    usual = fields.get("baseline")
    if usual is not None:
        fields["baseline"] = min(max(usual, USUAL_MIN), USUAL_MAX)
    return SessionStarted.model_validate_json(json.dumps(fields))


def score_from(value: str) -> ModalityScore:
    """Return the score in a value of the evidence hash."""
    return ModalityScore.model_validate_json(value.removeprefix(_SCORE_RANK))


def command_again(value: str, unknown_s: int) -> Command:
    """Return what accounts again for a score in a value of the evidence hash: it is taken back where it is forgotten.

    Args:
        value: As it is kept, to the byte.
        unknown_s: Seconds that things of a session are kept whose start has not been heard.
    """
    return _add(score_from(value), value, unknown_s)


def is_forgotten(value: str | None) -> bool:
    """Return whether a value of the evidence hash is of a chunk that was forgotten."""
    return value is not None and value.startswith(_FORGOTTEN_RANK)


def _value_of(score: ModalityScore) -> str:
    # On the wire the trace context is a header; here it stays beside what it belongs to.
    body = score.model_dump_json()
    if score.traceparent is not None:
        body = f'{body[:-1]},"traceparent":{json.dumps(score.traceparent)}}}'
    return _SCORE_RANK + body


def _start(started: SessionStarted) -> Command:
    keys = Keys(started.session_id)
    names = [keys.tombstone, keys.meta, keys.events, keys.pages]
    names += [name for name in keys.fixed() if name not in names]
    arguments: list[str | int | float] = [keys.page(""), started.token_sha256, started.model_dump_json()]
    arguments += [started.retention_s, started.traceparent or ""]
    return Command(script="start.lua", keys=names, arguments=arguments)


def _end(ended: SessionEnded, unknown_s: int, *, outside: bool) -> Command:
    keys = Keys(ended.session_id)
    arguments: list[str | int | float] = [unknown_s, ended.model_dump_json(), ended.traceparent or "", int(outside)]
    return Command(script="end.lua", keys=[keys.tombstone, keys.meta, keys.events], arguments=arguments)


def _account_keys(keys: Keys, modality: Modality) -> list[str]:
    names = [keys.tombstone, keys.meta, keys.counters, keys.totals, keys.evidence]
    return [*names, keys.order(modality), keys.events, keys.pages]


def _add(score: ModalityScore, value: str, unknown_s: int) -> Command:
    keys, contribution = Keys(score.session_id), contribution_of(score)
    names = _account_keys(keys, score.modality)
    pages = sorted({index // BINS_PER_PAGE for index in contribution.bins})
    places = {page: len(names) + 1 + offset for offset, page in enumerate(pages)}
    arguments: list[str | int | float] = [unknown_s, f"{score.modality}:{score.seq}"]
    arguments += [value, score.modality, score.seq, score.status, score.reason or ""]
    # No longer than what is looked for when a stretch is forgotten.
    end_s = min(score.end_s, score.start_s + MAX_SPEECH_SECONDS)
    arguments += [f"{score.model.name} {score.model.version}", score.start_s, end_s, "score", score.traceparent or ""]
    arguments.append(contribution.total.pack() if contribution.bins else "")
    for index, sums in contribution.bins.items():
        page = index // BINS_PER_PAGE
        arguments += [places[page], page, f"{index}:{score.modality}", sums.pack()]
    names += [keys.page(page) for page in pages]
    speaker = speaker_sums_of(score)
    if speaker.utterances:
        arguments += [_TOTALS, "", SPEAKER, speaker.pack()]
    return Command(script="account.lua", keys=names, arguments=arguments)


def _lose(loss: Loss, unknown_s: int) -> Command:
    value = f"{_RANKS[loss.outcome]}{loss.outcome}:{loss.cause}"
    arguments: list[str | int | float] = [unknown_s, f"{loss.modality}:{loss.seq}", value, loss.modality, loss.seq]
    arguments += [loss.outcome, loss.cause, "", "", "", "lost", "", ""]
    return Command(script="account.lua", keys=_account_keys(Keys(loss.session_id), loss.modality), arguments=arguments)
