"""One message of each type and the queues, as this version has them.

``python -m tests.contract.wire_examples`` is run at a release. What it writes to ``tests/contract/wire/VERSION`` is
never changed again: versions run side by side during an upgrade.
"""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pika

from shared import __version__
from shared.broker.amqp import from_properties, to_properties
from shared.broker.rabbitmq.channels import arguments_of
from shared.emotions import EMOTIONS, MODALITIES, Modality
from shared.media.flac import encode_flac
from shared.media.jpeg import encode_jpeg
from shared.messages import (
    AudioDetails,
    FaceBox,
    FaceDetails,
    FrameChunk,
    Message,
    ModalityScore,
    ModelRef,
    SessionEnded,
    SessionForget,
    SessionStarted,
    SpeechChunk,
    Status,
    TextDetails,
    TypedText,
    WireContract,
    Word,
)
from shared.messages.typed import FIRST_TYPED_SEQ
from shared.topology import TOPOLOGY

FOLDER: Final = Path(__file__).parent / "wire"

_NOW: Final = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
_PLACE: Final[dict[str, Any]] = {
    "session_id": "session-0001",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
_JUDGED: Final[dict[str, Any]] = {
    **_PLACE, "seq": 3, "captured_at": _NOW, "start_s": 1.5, "end_s": 2.5, "queue_s": 0.25, "compute_s": 0.125,
    "model": ModelRef(name="model", version="1"),
}  # fmt: skip
_SCORED: Final[dict[str, Any]] = {
    "status": Status.SCORED, "mood": 3.25, "distribution": dict.fromkeys(EMOTIONS, 1 / 7), "confidence": 0.5,
    "quality": 0.75,
}  # fmt: skip


def examples() -> dict[str, WireContract]:
    """Return one example of everything that travels, with every field set, by its name."""
    tone = (np.sin(np.arange(1600) / 10) / 2).astype(np.float32)
    box = FaceBox(x=0.25, y=0.25, width=0.5, height=0.5, confidence=0.75, main=True)
    heard = AudioDetails(energy_db=12.5, level_dbfs=-20.5, pitch_hz=180.5, voiced_s=0.5, arousal=0.5, intensity="low")
    said = TextDetails(
        transcript="good morning", language="en", asr_confidence=0.75, valence=3.5,
        words=(Word(text="good", start_s=1.5, end_s=2, probability=0.75),),
    )  # fmt: skip
    return {
        "session.started": SessionStarted(
            **_PLACE, token_sha256="0" * 64, consent=True, purpose="research", retention_s=3600, modalities=MODALITIES,
            agent_version="0.1.0", started_at=_NOW, baseline=3.5,
        ),
        "session.ended": SessionEnded(**_PLACE, duration_s=9.5, speech_chunks=4, frames=47),
        "session.forget": SessionForget(**_PLACE, start_s=1.5, end_s=61.5),
        "speech.chunk": SpeechChunk(
            **_PLACE, seq=3, start_s=1.5, end_s=1.6, captured_at=_NOW, media=encode_flac(tone)
        ),
        "frame.chunk": FrameChunk(
            **_PLACE, seq=9, at_s=1.75, captured_at=_NOW, media=encode_jpeg(np.full((32, 32, 3), 128, dtype=np.uint8))
        ),
        "typed.text": TypedText(
            **_PLACE, seq=FIRST_TYPED_SEQ, start_s=1.5, end_s=2.5, captured_at=_NOW, media=b"good morning"
        ),
        "score.text": ModalityScore(**_JUDGED, **_SCORED, modality=Modality.TEXT, details=said),
        "score.audio": ModalityScore(**_JUDGED, **_SCORED, modality=Modality.AUDIO, details=heard),
        "score.face": ModalityScore(
            **_JUDGED, **_SCORED, modality=Modality.FACE, details=FaceDetails(faces=(box,), face_px=16.5)
        ),
        "score.face.abstained": ModalityScore(
            **_JUDGED, modality=Modality.FACE, status=Status.ABSTAINED, reason="no_face", details=FaceDetails()
        ),
    }  # fmt: skip


def pack(message: Message) -> dict[str, str]:
    """Return a message as AMQP carries it, as JSON can hold it."""
    properties = b"".join(to_properties(message).encode())
    return {
        name: base64.b64encode(part).decode() for name, part in (("properties", properties), ("body", message.body))
    }


def unpack(packed: dict[str, str]) -> Message:
    """Return the message that was packed."""
    properties = pika.BasicProperties().decode(base64.b64decode(packed["properties"]))
    return from_properties(properties, base64.b64decode(packed["body"]))


def topology() -> dict[str, Any]:
    """Return the exchanges, and the queues with their arguments and bindings."""
    return {
        "exchanges": list(TOPOLOGY.exchanges),
        "queues": {queue.name: arguments_of(queue) for queue in TOPOLOGY.queues},
        "bindings": sorted([b.exchange, b.pattern, queue.name] for queue in TOPOLOGY.queues for b in queue.bindings),
    }


def main() -> None:
    """Write this version's examples."""
    folder = FOLDER / __version__
    folder.mkdir(parents=True)
    messages = {name: pack(contract.to_message()) for name, contract in examples().items()}
    for name, content in (("messages", messages), ("topology", topology())):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
