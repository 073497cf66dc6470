"""What breaks the scorer of ``mien score`` costs its own line and no other."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from services.audio import worker
from services.cli.score import score_audio_inputs
from shared.emotions import EMOTIONS, Modality
from shared.messages import AudioDetails, Judgement, ModelRef, Status
from shared.scoring import SpeechWindow


class LoudnessScorer:
    """The louder, the better the mood; silence breaks it, as a bug would."""

    modality = Modality.AUDIO
    model = ModelRef(name="loudness", version="1")

    def score(self, windows: Sequence[SpeechWindow]) -> list[Judgement]:
        return [self._judge(float(np.abs(window.samples).max())) for window in windows]

    def _judge(self, loudness: float) -> Judgement:
        if loudness == 0:
            raise ZeroDivisionError("silence")
        even = dict.fromkeys(EMOTIONS, 1 / 7)
        return Judgement(status=Status.SCORED, mood=1 + 4 * loudness, distribution=even, details=AudioDetails())


def test_what_breaks_the_model_does_not_take_the_others_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(worker, "load_scorer", LoudnessScorer)
    paths = [tmp_path / f"{name}.wav" for name in ("soft", "silent", "no", "loud")]
    for path, level in zip(paths, (0.25, 0.0, None, 0.75), strict=True):
        if level is None:
            path.write_text("no sound")
        else:
            soundfile.write(path, np.full(1600, level, dtype=np.float32), 16_000, subtype="FLOAT")
    assert score_audio_inputs(paths) == 2
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["input"] for line in lines] == [str(path) for path in paths]
    assert [(line["status"], line["reason"], line["mood"]) for line in lines] == [
        ("scored", None, 2.0),
        ("failed", "internal_error", None),
        ("failed", "unreadable", None),
        ("scored", None, 4.0),
    ]
    assert f"mien: {paths[1]} cannot be judged" in said.err
    assert "Traceback" not in said.err
