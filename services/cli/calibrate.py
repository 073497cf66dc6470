"""``mien calibrate``: a person's usual mood from a recording of about a minute, kept in a file of theirs."""

from datetime import UTC, datetime
from pathlib import Path

import typer
from pydantic import ValidationError

from services.cli.analyze import analyze_source
from services.cli.report import check_outputs
from services.fusion.baseline import LEAST_S, Baseline
from services.fusion.schema import SessionResult
from shared.emotions import Modality
from shared.errors import BadInputError
from shared.messages.session import USUAL_MAX, USUAL_MIN


def calibrate_file(file: Path, out: Path, *, consent: bool, fps: float) -> None:
    """Analyse a recording of an ordinary minute and write the baseline.

    Args:
        file: The recording.
        out: Where to write the baseline.
        consent: Whether the person has agreed that it is kept.
        fps: Frames looked at a second.

    Raises:
        BadInputError: If consent is missing, or the recording is not media, holds too little evidence, or is of a
            mood that none can be compared with.
    """
    if not consent:
        raise BadInputError("A baseline is kept only with the person's consent; state it with --consent.")
    check_outputs(file, {"baseline": out})
    baseline = baseline_of(analyze_source(file, tuple(Modality), fps).result)
    try:
        out.write_text(baseline.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"The baseline cannot be written to {out}: {error.strerror}.") from None
    typer.echo(f"Their usual mood is {baseline.usual:.1f} of 5. Next: mien analyze FILE --baseline {out}")


def baseline_of(result: SessionResult) -> Baseline:
    """Return the baseline that a calibration session gives.

    Raises:
        BadInputError: If there is too little evidence in it, or the mood is too near an end of the scale.
    """
    evidence_s = sum(point.end_s - point.start_s for point in result.timeline)
    if result.mood is None or evidence_s < LEAST_S:
        raise BadInputError(
            f"Only {evidence_s:.0f} s of the recording can be judged; record about a minute of ordinary talk, "
            "with the face in view."
        )
    if not USUAL_MIN <= result.mood.score <= USUAL_MAX:
        raise BadInputError(
            f"The mood of this recording, {result.mood.score:.1f}, is too near an end to compare others with "
            f"({USUAL_MIN} to {USUAL_MAX}); record a minute in which they are as they usually are."
        )
    return Baseline(
        consent=True,
        usual=result.mood.score,
        low=result.mood.low,
        high=result.mood.high,
        evidence_s=evidence_s,
        made_at=datetime.now(UTC),
    )


def read_baseline(file: Path) -> Baseline:
    """Return the baseline in a file.

    Raises:
        BadInputError: If the file cannot be read or is not a baseline.
    """
    try:
        return Baseline.model_validate_json(file.read_bytes())
    except OSError as error:
        raise BadInputError(f"{file} cannot be read: {error.strerror}.") from None
    except ValidationError:
        raise BadInputError(
            f"{file} is not a baseline with a usual mood of {USUAL_MIN} to {USUAL_MAX}; "
            f"make one with `mien calibrate FILE --out {file}`."
        ) from None
