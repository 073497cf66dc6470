"""What fusion must reach."""

from typing import Final

from benchmarks.figures import Target
from services.fusion.training.evaluate import WITHIN

_VOTES: Final = "CREMA-D votes, actors held out (1,476 clips)"
_EVERY: Final = "CREMA-D votes, every actor held out once (7,442 clips)"
_PEOPLE: Final = {"best linear pool": 0.261, "log-linear pool": 0.254, "half the panel": 0.281, "one more rater": 0.442}


def _coverage(key: str, figure: str, data: str = _VOTES) -> tuple[Target, Target]:
    """Return the two sides that a coverage must stay between: 78 and 82 %."""
    low, high = WITHIN
    least = Target(area="fusion", key=key, figure=f"{figure}, at least", data=data, must=low, aim=low)
    most = Target(area="fusion", key=key, figure=f"{figure}, at most", data=data, better="lower", must=high, aim=high)
    return least, most


def _every_actor() -> tuple[Target, ...]:
    """Return the coverage where every actor is held out once, of each input and each third of the width."""
    parts = {"": "", "_narrow": ", narrowest third", "_middle": ", middle third", "_wide": ", widest third"}
    inputs = {"": "80 % interval", "_voice": "voice alone", "_face": "face alone"}
    return tuple(
        target
        for name, what in inputs.items()
        for part, words in parts.items()
        for target in _coverage(f"every_actor_coverage{part}{name}", f"{what}{words}, every actor", _EVERY)
    )


FUSION: Final = (
    Target(
        area="fusion",
        key="mae",
        figure="mood against the audio-visual panel, MAE",
        data=_VOTES,
        better="lower",
        must=0.250,
        aim=0.240,
        reference=_PEOPLE,
    ),
    Target(
        area="fusion",
        key="jsd",
        figure="distribution against the panel, Jensen-Shannon divergence",
        data=_VOTES,
        unit="bit",
        better="lower",
        must=0.125,
        reference={"log-linear pool": 0.134},
    ),
    Target(
        area="fusion",
        key="thinned_better_share",
        figure="three votes an input: both better than either, bootstrap",
        data=_VOTES,
        must=0.95,
    ),
    *_every_actor(),
    *_coverage("coverage", "80 % interval"),
    *_coverage("coverage_narrow", "the narrowest third"),
    *_coverage("coverage_middle", "the middle third"),
    *_coverage("coverage_wide", "the widest third"),
    *_coverage("coverage_voice", "voice alone"),
    *_coverage("coverage_face", "face alone"),
    Target(
        area="fusion",
        key="every_actor_chance_within",
        figure="draws of eighteen of all actors that have all six of these within, share",
        data=_EVERY,
    ),
    Target(area="fusion", key="width", figure="mean width of the interval", data=_VOTES, better="lower"),
    Target(area="fusion", key="linear_mae", figure="best linear pool, MAE, here", data=_VOTES, better="lower"),
    Target(area="fusion", key="log_linear_mae", figure="log-linear pool, MAE, here", data=_VOTES, better="lower"),
    Target(
        area="fusion", key="log_linear_jsd", figure="log-linear pool, divergence, here", data=_VOTES, better="lower"
    ),
    Target(
        area="fusion", key="rater_mae", figure="one rater against the others, MAE, here", data=_VOTES, better="lower"
    ),
    Target(area="fusion", key="half_panel_mae", figure="half the panel, MAE, here", data=_VOTES, better="lower"),
)
