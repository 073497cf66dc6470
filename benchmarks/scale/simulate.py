"""How many of each worker many sessions need: a simulation driven by what one machine was measured to do.

Real: how long each piece of evidence kept its worker busy, as the workers told it while real sessions ran.
Modelled: arrivals (the sessions of the live measurement), queues (one for each modality, first come, first served),
micro-batches (up to eight, or what waits) and any number of workers, each with a core of its own. The broker, Redis and
fusion are not queued for: the plan compares what they must carry with what one of each was measured to carry.
"""

import math
import random
import statistics
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import simpy

from benchmarks.scale.live import SPEECH_SHARE
from benchmarks.scale.material import FRAMES_PER_S
from shared.emotions import Modality

SIMULATED_S: Final = 60.0
WARM_UP_S: Final = 10.0
P95_S: Final = 1.5
BATCH: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the simulation is driven by.

    Attributes:
        service_s: Seconds that a worker was busy with each piece of evidence, by modality.
        utterance_s: Seconds of sound in each utterance.
    """

    service_s: Mapping[Modality, Sequence[float]]
    utterance_s: Sequence[float]

    def rate_per_session(self, modality: Modality) -> float:
        """Return how many chunks a second one session sends to a modality."""
        if modality is Modality.FACE:
            return FRAMES_PER_S
        return SPEECH_SHARE / statistics.mean(self.utterance_s)


def workers_needed(measured: Measured, modality: Modality, sessions: int, seed: int = 7) -> tuple[int, float]:
    """Return the fewest workers that carry the load, with the 95th percentile under :data:`P95_S`, and that percentile.

    Args:
        measured: What drives it.
        modality: Whose workers.
        sessions: Sessions that go on at once.
        seed: Of arrivals and service times.
    """
    load = sessions * measured.rate_per_session(modality) * statistics.mean(measured.service_s[modality])
    # Fewer than the load would let the queue grow for ever, which a short simulation does not always show.
    workers = max(1, math.ceil(load))
    while (p95 := simulate(measured, modality, sessions, workers, seed)) > P95_S:
        workers += max(1, workers // 50)
    return workers, p95


def simulate(measured: Measured, modality: Modality, sessions: int, workers: int, seed: int = 7) -> float:
    """Return the 95th percentile of the seconds from a chunk's arrival to its score."""
    chance = random.Random(seed)  # noqa: S311  (no secret)
    environment = simpy.Environment()
    queue: simpy.Store = simpy.Store(environment)
    waits: list[float] = []
    environment.process(_arrive(environment, queue, sessions * measured.rate_per_session(modality), chance))
    for _ in range(workers):
        environment.process(_work(environment, queue, measured.service_s[modality], waits, chance))
    environment.run(until=SIMULATED_S)
    return statistics.quantiles(waits, n=20)[-1]


def _arrive(
    environment: simpy.Environment, queue: simpy.Store, rate: float, chance: random.Random
) -> Generator[simpy.Event, None, None]:
    """Put chunks into the queue; those of many sessions that know nothing of each other come as a Poisson process."""
    while True:
        yield environment.timeout(chance.expovariate(rate))
        queue.put(environment.now)


def _work(
    environment: simpy.Environment,
    queue: simpy.Store,
    service_s: Sequence[float],
    waits: list[float],
    chance: random.Random,
) -> Generator[simpy.Event, float, None]:
    while True:
        first: float = yield queue.get()
        came = [first]
        came += [queue.items.pop(0) for _ in range(min(BATCH - 1, len(queue.items)))]
        yield environment.timeout(sum(chance.choice(service_s) for _ in came))
        if environment.now > WARM_UP_S:
            waits += [environment.now - at_s for at_s in came]
