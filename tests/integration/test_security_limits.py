"""Limits: what is too large, too long or too many is refused, each with a sentence."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from services.fusion.api import create_app
from services.fusion.settings import FusionSettings
from shared.errors import UndecodableMessageError
from shared.media.flac import encode_flac, read_speech
from shared.messages import SessionEnded, SpeechChunk
from shared.messages.base import MAX_JSON_BYTES, MAX_MEDIA_BYTES
from shared.messages.speech import MAX_SPEECH_SECONDS, SAMPLE_RATE_HZ
from tests.stores import memory_store

WANTED = {"consent": True, "purpose": "personal"}


def client_of(**settings: Any) -> TestClient:
    store = memory_store()
    return TestClient(create_app(store, FusionSettings.model_validate(settings)))


def speech(media: bytes) -> SpeechChunk:
    return SpeechChunk(session_id="session-1", seq=0, start_s=0, end_s=1, captured_at=datetime.now(UTC), media=media)


def test_media_larger_than_any_chunk_are_refused_before_they_are_decoded() -> None:
    message = replace(speech(b"x").to_message(), body=bytes(MAX_MEDIA_BYTES + 1))
    with pytest.raises(UndecodableMessageError, match="media"):
        read_speech(message)


def test_the_longest_speech_fits_and_longer_is_refused_by_its_header() -> None:
    noise = np.random.default_rng(1).uniform(-1, 1, int((MAX_SPEECH_SECONDS + 1) * SAMPLE_RATE_HZ))
    longest = encode_flac(noise[: int(MAX_SPEECH_SECONDS * SAMPLE_RATE_HZ)].astype(np.float32))
    assert len(longest) < MAX_MEDIA_BYTES
    read_speech(speech(longest).to_message())
    with pytest.raises(UndecodableMessageError, match="at most 30 s"):
        read_speech(speech(encode_flac(noise.astype(np.float32))).to_message())


def test_json_larger_than_any_message_is_refused_before_it_is_parsed() -> None:
    ended = SessionEnded(session_id="session-1", duration_s=1, speech_chunks=0, frames=0).to_message()
    padded = replace(ended, body=ended.body[:-1] + b" " * MAX_JSON_BYTES + b"}")
    with pytest.raises(UndecodableMessageError, match="larger than"):
        SessionEnded.from_message(padded)


@pytest.mark.parametrize("how", ["end", "erase"])
def test_a_key_has_so_many_sessions_going_on_and_no_more(how: str) -> None:
    keys = ("one-key", "another-key")
    digests = ",".join(hashlib.sha256(key.encode()).hexdigest() for key in keys)
    client = client_of(fusion_max_sessions=2, fusion_api_keys=digests)

    def create(key: str) -> Any:
        return client.post("/v1/sessions", json=WANTED, headers={"X-API-Key": key})

    first = create(keys[0]).json()
    assert create(keys[0]).status_code == 201
    refused = create(keys[0])
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert "end one" in refused.json()["detail"]
    assert create(keys[1]).status_code == 201, "one key does not use up what is another's"
    headers, path = {"Authorization": f"Bearer {first['token']}"}, f"/v1/sessions/{first['session_id']}"
    over = client.post(f"{path}/end", headers=headers) if how == "end" else client.delete(path, headers=headers)
    assert over.status_code == 200
    assert create(keys[0]).status_code == 201
    assert create(keys[0]).status_code == 429
