"""What is asked of Redis for each thing that happens: a script, the keys that it touches, and its arguments."""

from dataclasses import dataclass
from typing import Final

from services.fusion.accumulate import contribution_of
from services.fusion.state import Loss, Outcome
from services.fusion.store.keys import BINS_PER_PAGE, Keys
from shared.emotions import Modality
from shared.messages.score import ModalityScore
from shared.messages.session import SessionEnded, SessionStarted

Operation = SessionStarted | SessionEnded | ModalityScore | Loss

_RANKS: Final = {Outcome.EXPIRED: "0", Outcome.FAILED: "1"}
_SCORE_RANK: Final = "2"


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


def command_for(operation: Operation, now: int, unknown_s: int) -> Command:
    """Return what carries out an operation.

    Args:
        operation: What happened.
        now: Seconds since 1970.
        unknown_s: Seconds that things of a session are kept whose start has not been heard.
    """
    match operation:
        case SessionStarted():
            return _start(operation, now)
        case SessionEnded():
            keys = Keys(operation.session_id)
            names = [keys.tombstone, keys.meta, keys.events]
            return Command(script="end.lua", keys=names, arguments=[now, unknown_s, operation.model_dump_json()])
        case ModalityScore():
            return _add(operation, now, unknown_s)
        case Loss():
            return _lose(operation, now, unknown_s)


def score_from(value: str) -> ModalityScore:
    """Return the score in a value of the evidence hash."""
    return ModalityScore.model_validate_json(value.removeprefix(_SCORE_RANK))


def _start(started: SessionStarted, now: int) -> Command:
    keys = Keys(started.session_id)
    names = [keys.tombstone, keys.meta, keys.events, keys.pages]
    names += [name for name in keys.fixed() if name not in names]
    expires_at = now + started.retention_s
    arguments: list[str | int | float] = [keys.page(""), started.token_sha256, started.model_dump_json(), expires_at]
    arguments.append(started.traceparent or "")
    return Command(script="start.lua", keys=names, arguments=arguments)


def _account_keys(keys: Keys, modality: Modality) -> list[str]:
    names = [keys.tombstone, keys.meta, keys.counters, keys.totals, keys.evidence]
    return [*names, keys.order(modality), keys.events, keys.pages]


def _add(score: ModalityScore, now: int, unknown_s: int) -> Command:
    keys, contribution = Keys(score.session_id), contribution_of(score)
    names = _account_keys(keys, score.modality)
    pages = sorted({index // BINS_PER_PAGE for index in contribution.bins})
    places = {page: len(names) + 1 + offset for offset, page in enumerate(pages)}
    arguments: list[str | int | float] = [now, unknown_s, f"{score.modality}:{score.seq}"]
    arguments += [_SCORE_RANK + score.model_dump_json(), score.modality, score.seq, score.status, score.reason or ""]
    arguments += [f"{score.model.name} {score.model.version}", score.start_s, "score"]
    arguments.append(contribution.total.pack() if contribution.bins else "")
    for index, sums in contribution.bins.items():
        page = index // BINS_PER_PAGE
        arguments += [places[page], page, f"{index}:{score.modality}", sums.pack()]
    names += [keys.page(page) for page in pages]
    return Command(script="account.lua", keys=names, arguments=arguments)


def _lose(loss: Loss, now: int, unknown_s: int) -> Command:
    value = f"{_RANKS[loss.outcome]}{loss.outcome}:{loss.cause}"
    arguments: list[str | int | float] = [now, unknown_s, f"{loss.modality}:{loss.seq}", value, loss.modality, loss.seq]
    arguments += [loss.outcome, loss.cause, "", "", "lost", ""]
    return Command(script="account.lua", keys=_account_keys(Keys(loss.session_id), loss.modality), arguments=arguments)
