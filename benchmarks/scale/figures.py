"""The rows of ``make bench AREA=scale``, and what measures them."""

import sys
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.figures import Target
from benchmarks.scale.live import measure_live
from benchmarks.scale.material import load_material
from benchmarks.scale.own_code import measure_own_code
from benchmarks.scale.plan import make_plan, page
from benchmarks.scale.throughput import measure_fusion, measure_text
from shared.emotions import Modality

_LIVE: Final = "sessions played in real time (45 % speech, 5 frames a second), one process of each service, two cores"
_QUEUES: Final = "full queues, real RabbitMQ and Redis on the same two cores"

_live = partial(Target, area="scale", data=_LIVE)
_full = partial(Target, area="scale", data=_QUEUES)

SCALE: Final = (
    _full(key="text_two_over_one", figure="two text workers over one, throughput", must=1.85),
    _full(key="fusion_scores_per_s", figure="scores that one fusion process keeps", unit="/s", must=3000),
    _live(key="p95_8_s", figure="8 sessions: utterance sent to fused, p95", unit="s", better="lower", must=0.7),
    _live(key="p95_24_s", figure="24 sessions: utterance sent to fused, p95", unit="s", better="lower", must=1.5),
    _live(key="frames_scored_24", figure="24 sessions: frames scored before they expire"),
    _live(key="share_own", figure="our own code, share of processor time", better="lower", must=0.1),
    _live(
        key="share_features", figure="what the models read (pitch, scaled pictures), share of the same", better="lower"
    ),
    _live(key="share_broker_and_store", figure="clients of broker and store, share of the same", better="lower"),
    *(
        Target(
            area="scale",
            key=f"workers_{modality}",
            figure=f"{modality} workers for 1,000 sessions",
            data="simulated from measured service times",
            better="lower",
        )
        for modality in Modality
    ),
)


def measure_scale(data: Path) -> dict[str, float]:
    """Run the whole system under load, print the plan past one machine, and return the figures.

    Raises:
        BadInputError: If the data folder lacks recordings.
        NoServerError: If RabbitMQ or Redis is not installed.
    """
    material = load_material(data)
    eight, many = measure_live(material, 8), measure_live(material, 24)
    plan = make_plan(eight, material)
    sys.stdout.write("\n".join(page(plan)) + "\n")
    return {
        **measure_text(material),
        **measure_fusion(),
        "p95_8_s": eight.p95_s(),
        "p95_24_s": many.p95_s(),
        "frames_scored_24": many.frames_scored,
        **measure_own_code(material),
        **{f"workers_{modality}": float(workers) for modality, workers in plan.workers.items()},
    }
