"""Many people at once: sessions played in real time, and how long after the end of an utterance its score is fused."""

import heapq
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from benchmarks.scale.material import FRAMES_PER_S, Material, Utterance
from benchmarks.scale.system import System, all_services, started
from services.fusion.store import SessionStore, connect
from services.fusion.store.event_log import FIRST, place_of
from shared.broker.port import Broker
from shared.emotions import Modality
from shared.messages import FrameChunk, SpeechChunk
from shared.messages.message import Message
from shared.messages.session import SessionStarted
from shared.sessions import new_session
from shared.topology import LIVE_FRAME_EXPIRATION_MS, MEDIA_EXCHANGE

SPEECH_SHARE: Final = 0.45
SECONDS: Final = 60.0
SETTLE_S: Final = 10.0
_SPOKEN: Final = (Modality.TEXT, Modality.AUDIO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What was measured of sessions that ran side by side.

    Attributes:
        speech_s: Seconds from the sending of each utterance until text and voice of it were fused.
        lost: Utterances that were not fused within :data:`SETTLE_S` of the end.
        frames_scored: Share of the frames that were scored before they expired.
        service_s: Seconds that a worker was busy with each piece of evidence, by modality.
        used_s: Processor seconds a chunk, by service and server.
    """

    speech_s: list[float]
    lost: int
    frames_scored: float
    service_s: dict[Modality, list[float]]
    used_s: dict[str, float]

    def p95_s(self) -> float:
        """Return the 95th percentile; an utterance that is lost has taken for ever."""
        waits = [*self.speech_s, *[float("inf")] * self.lost]
        return statistics.quantiles(waits, n=20, method="inclusive")[-1]


@dataclass(slots=True, eq=False)
class Player:
    """One session: utterances and pauses in turn, and frames all along.

    Attributes:
        started: The session.
        material: What is played.
        chance: Where its own order and pauses come from.
    """

    started: SessionStarted
    material: Material
    chance: random.Random

    def timeline(self) -> Iterator[tuple[float, Utterance | bytes]]:
        """Yield what is sent and when, in seconds from the start, without end; in order of time."""
        yield from heapq.merge(self._speech(), self._frames(), key=lambda item: item[0])

    def _speech(self) -> Iterator[tuple[float, Utterance | bytes]]:
        at_s = self.chance.uniform(0, 5)
        while True:
            utterance = self.chance.choice(self.material.utterances)
            at_s += utterance.duration_s
            yield at_s, utterance
            at_s += utterance.duration_s * (1 - SPEECH_SHARE) / SPEECH_SHARE * self.chance.uniform(0.5, 1.5)

    def _frames(self) -> Iterator[tuple[float, Utterance | bytes]]:
        first, at_s, number = self.chance.uniform(0, 1 / FRAMES_PER_S), 0.0, self.chance.randrange(1000)
        while True:
            yield first + at_s, self.material.frames[number % len(self.material.frames)]
            at_s, number = at_s + 1 / FRAMES_PER_S, number + 1


def measure_live(material: Material, sessions: int) -> Played:
    """Play sessions on all services, one process each, and return how long their utterances took.

    The time that the agent waits for a pause, to know that an utterance has ended, is not in it.
    """
    with started() as system, all_services(system):
        return play(system, material, sessions)


def play(system: System, material: Material, sessions: int) -> Played:
    """Play sessions on a system that runs."""
    broker = system.broker()
    players = [
        Player(new_session(tuple(Modality))[0], material, random.Random(number))  # noqa: S311  (no secret)
        for number in range(sessions)
    ]
    for player in players:
        broker.publish(MEDIA_EXCHANGE, SessionStarted.TYPE, player.started.to_message()).result(30)
    before = system.used_s()
    sent_at, frames = _send(broker, players)
    ids = [player.started.session_id for player in players]
    with connect(system.redis_url) as client:
        store = SessionStore(client)
        fused_at, scored = _await_fused(store, ids, set(sent_at))
        service_s = _service_s(store, ids)
    chunks = 2 * len(sent_at) + frames
    used_s = {name: (used - before[name]) / chunks for name, used in system.used_s().items()}
    broker.close()
    waits = [max(fused_at[key]) - sent for key, sent in sent_at.items() if len(fused_at.get(key, ())) == len(_SPOKEN)]
    return Played(
        speech_s=waits,
        lost=len(sent_at) - len(waits),
        frames_scored=scored / frames,
        service_s=service_s,
        used_s=used_s,
    )


def _send(broker: Broker, players: list[Player]) -> tuple[dict[tuple[str, int], float], int]:
    """Send everything when it is due, and return when each utterance was sent and how many frames were."""
    sent_at: dict[tuple[str, int], float] = {}
    frames = [0] * len(players)
    spoken = [0] * len(players)
    tracks = [_numbered(number, player) for number, player in enumerate(players)]
    begun = time.monotonic()
    for at_s, number, item in heapq.merge(*tracks, key=lambda due: due[0]):
        if at_s > SECONDS:
            return sent_at, sum(frames)
        time.sleep(max(0.0, begun + at_s - time.monotonic()))
        session_id = players[number].started.session_id
        if isinstance(item, Utterance):
            sent_at[session_id, spoken[number]] = time.time()
            broker.publish(MEDIA_EXCHANGE, SpeechChunk.TYPE, _speech(session_id, spoken[number], at_s, item))
            spoken[number] += 1
        else:
            broker.publish(MEDIA_EXCHANGE, FrameChunk.TYPE, _frame(session_id, frames[number], at_s, item))
            frames[number] += 1
    raise RuntimeError("the sessions have no end")


def _numbered(number: int, player: Player) -> Iterator[tuple[float, int, Utterance | bytes]]:
    for at_s, item in player.timeline():
        yield at_s, number, item


def _service_s(store: SessionStore, sessions: list[str]) -> dict[Modality, list[float]]:
    busy: dict[Modality, list[float]] = {modality: [] for modality in Modality}
    for session_id in sessions:
        for score in store.evidence(session_id):
            busy[score.modality].append(score.compute_s)
    return busy


def _speech(session_id: str, seq: int, end_s: float, utterance: Utterance) -> Message:
    return SpeechChunk(
        session_id=session_id, media=utterance.flac, seq=seq, start_s=end_s - utterance.duration_s, end_s=end_s,
        captured_at=datetime.now(UTC),
    ).to_message()  # fmt: skip


def _frame(session_id: str, seq: int, at_s: float, jpeg: bytes) -> Message:
    chunk = FrameChunk(session_id=session_id, media=jpeg, seq=seq, at_s=at_s, captured_at=datetime.now(UTC))
    return chunk.to_message(expiration_ms=LIVE_FRAME_EXPIRATION_MS)


def _await_fused(
    store: SessionStore, sessions: list[str], wanted: set[tuple[str, int]]
) -> tuple[dict[tuple[str, int], list[float]], int]:
    """Return when each utterance was fused, by each modality that hears, and how many frames were."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        fused_at: dict[tuple[str, int], list[float]] = {}
        frames = 0
        for session_id in sessions:
            for event in store.events.after(session_id, FIRST):
                if event.kind != "score":
                    continue
                if event.fields["modality"] in _SPOKEN:
                    place = session_id, int(event.fields["seq"])
                    fused_at.setdefault(place, []).append(place_of(event.id)[0] / 1000)
                else:
                    frames += 1
        if time.monotonic() > deadline or all(len(fused_at.get(place, ())) == len(_SPOKEN) for place in wanted):
            return fused_at, frames
        time.sleep(0.2)
