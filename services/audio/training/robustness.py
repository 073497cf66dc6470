"""How far noise, gain and a codec move what is heard, for women and for men, on speakers never heard."""

from collections.abc import Sequence

import numpy as np

from services.audio.training.corpus import AS_IS, Clips, Treatment
from services.audio.training.validation import OutOfFold, served_out_of_fold, unweighted_average_recall
from shared.emotions import mood_of


def robustness(clips: Clips, held: OutOfFold, worse: Sequence[Treatment]) -> dict[str, float]:
    """Return, for each treatment, how much recall is lost and how far a clip's mood moves on average.

    Args:
        clips: All clips as they are, and some under each treatment too.
        held: Predictions for speakers left out.
        worse: The treatments.
    """
    distributions = served_out_of_fold(clips, held, held)
    figures: dict[str, float] = {}
    for treatment in worse:
        treated = clips.treatments == treatment.name
        plain = (clips.treatments == AS_IS.name) & np.isin(clips.files, clips.files[treated])
        test, before, after = clips.take(plain), distributions[plain], distributions[treated]
        moved = np.abs(mood_of(after) - mood_of(before))
        genders = {"": np.ones(len(test), np.bool_), "_f": test.genders == "F", "_m": test.genders == "M"}
        for suffix, part in genders.items():
            recalls = [unweighted_average_recall(said[part], test.emotions[part]) for said in (before, after)]
            figures[f"{treatment.name}_uar_loss{suffix}"] = recalls[0] - recalls[1]
            figures[f"{treatment.name}_mood_shift{suffix}"] = float(moved[part].mean())
    return figures
