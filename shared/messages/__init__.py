"""The messages that travel between the services: one contract a type, validated on both ends."""

from shared.messages.base import Contract, WireContract
from shared.messages.details import AudioDetails, Details, FaceBox, FaceDetails, TextDetails, Word, empty_details
from shared.messages.frame import MAX_FRAME_SIDE_PX, FrameChunk
from shared.messages.message import HeaderValue, Message
from shared.messages.score import Judgement, ModalityScore, ModelRef, Status
from shared.messages.session import SessionEnded, SessionForget, SessionStarted
from shared.messages.speech import MAX_SPEECH_SECONDS, SAMPLE_RATE_HZ, SpeechChunk
from shared.messages.typed import TypedText

__all__ = [
    "MAX_FRAME_SIDE_PX",
    "MAX_SPEECH_SECONDS",
    "SAMPLE_RATE_HZ",
    "AudioDetails",
    "Contract",
    "Details",
    "FaceBox",
    "FaceDetails",
    "FrameChunk",
    "HeaderValue",
    "Judgement",
    "Message",
    "ModalityScore",
    "ModelRef",
    "SessionEnded",
    "SessionForget",
    "SessionStarted",
    "SpeechChunk",
    "Status",
    "TextDetails",
    "TypedText",
    "WireContract",
    "Word",
    "empty_details",
]
