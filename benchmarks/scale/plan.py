"""How the system grows past one machine: what many sessions need, as a table of the page ``deploy/scaling.md``."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.scale.live import Played
from benchmarks.scale.material import Material
from benchmarks.scale.simulate import Measured, workers_needed
from shared.emotions import Modality

SIMULATED_SESSIONS: Final = 1_000
"""Sessions of one cell; more sessions are more cells, which share nothing."""

PLANNED: Final = (1_000, 100_000)
_QUEUE_CORES: Final = 1.0
"""A queue is one Erlang process, Redis runs scripts on one thread, and a fusion process writes on one: a core each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one cell needs.

    Attributes:
        workers: Workers by modality, each with a core of its own.
        p95_s: Simulated seconds from a chunk's arrival to its score, by modality.
        saturates_at: Sessions that a core of RabbitMQ, one Redis and one fusion process carry, by name.
    """

    workers: dict[Modality, int]
    p95_s: dict[Modality, float]
    saturates_at: dict[str, int]


def make_plan(played: Played, material: Material) -> Plan:
    """Simulate one cell and return its plan.

    Args:
        played: What was measured on one machine.
        material: What was played.
    """
    measured = Measured(
        service_s=played.service_s, utterance_s=[utterance.duration_s for utterance in material.utterances]
    )
    found = {modality: workers_needed(measured, modality, SIMULATED_SESSIONS) for modality in Modality}
    chunks_per_s = sum(measured.rate_per_session(modality) for modality in Modality)
    carriers = {"RabbitMQ": "rabbitmq", "Redis": "redis", "fusion": "fusion-0"}
    return Plan(
        workers={modality: workers for modality, (workers, _) in found.items()},
        p95_s={modality: p95 for modality, (_, p95) in found.items()},
        saturates_at={
            name: math.floor(_QUEUE_CORES / (played.used_s[key] * chunks_per_s)) for name, key in carriers.items()
        },
    )


def page(plan: Plan) -> Iterator[str]:
    """Yield the rows of the plan as Markdown."""
    heads = [f"{sessions:,} sessions" for sessions in PLANNED]
    yield "| | " + " | ".join(heads) + " | one carries |"
    yield "|---|" + "---:|" * (len(heads) + 1)
    for modality, workers in plan.workers.items():
        needs = [math.ceil(workers * sessions / SIMULATED_SESSIONS) for sessions in PLANNED]
        cells = " | ".join(f"{need:,}" for need in needs)
        yield f"| {modality} workers, a core each | {cells} | {SIMULATED_SESSIONS // workers:,} sessions |"
    for name, carried in plan.saturates_at.items():
        cells = " | ".join(f"{math.ceil(sessions / carried):,}" for sessions in PLANNED)
        yield f"| {name}, cores | {cells} | {carried:,} sessions |"
