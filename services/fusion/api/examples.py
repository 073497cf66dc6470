"""The examples of the OpenAPI document; a test reads every one of them with the model that it is of."""

from typing import Any, Final

SESSION_ID: Final = "3q2-7wAAsBcDe_f0"
_BEGAN: Final = "2030-01-01T12:00:00Z"
_ENDS: Final = "2030-01-02T12:00:00Z"
_FACE: Final = {"name": "mien-face", "version": "1"}
_DISTRIBUTION: Final = {
    "anger": 0.02,
    "disgust": 0.01,
    "fear": 0.01,
    "joy": 0.58,
    "neutral": 0.34,
    "sadness": 0.02,
    "surprise": 0.02,
}

NEW_SESSION: Final[dict[str, Any]] = {"consent": True, "purpose": "personal", "modalities": ["text", "face"]}
CREATED: Final[dict[str, Any]] = {"session_id": SESSION_ID, "token": "mZ0r1r3yq1…", "expires_at": _ENDS}
SUMMARY: Final[dict[str, Any]] = {
    "session_id": SESSION_ID,
    "status": "complete",
    "mood": {"score": 3.9, "low": 3.2, "high": 4.6, "label": "mostly happy", "relative": False, "disagreement": None},
    "reason": None,
    "distribution": _DISTRIBUTION,
    "modalities": {
        "face": {
            "mood": 4.1,
            "weight": 1.0,
            "distribution": None,
            "scored": 92,
            "abstained": 8,
            "reasons": ["face turned away for 2 s of 20"],
        }
    },
    "speaker": None,
    "accounting": {"face": {"published": 100, "scored": 92, "abstained": 8, "failed": 0, "expired": 0, "forgotten": 0}},
    "models": {"face": [_FACE]},
}
PAGE: Final[dict[str, Any]] = {
    "sessions": [
        {
            "session_id": SESSION_ID,
            "created_at": _BEGAN,
            "expires_at": _ENDS,
            "duration_s": 20.0,
            "purpose": "personal",
            "modalities": ["text", "face"],
        }
    ],
    "next_cursor": None,
}
TIMELINE: Final[dict[str, Any]] = {
    "session_id": SESSION_ID,
    "resolution_s": 1,
    "smoothing": {"kernel": "triangular", "weights": [0.33, 0.67, 1.0, 0.67, 0.33]},
    "relative": False,
    "usual": None,
    "timeline": [
        {
            "start_s": 0.0,
            "end_s": 1.0,
            "mood": 3.9,
            "low": 3.2,
            "high": 4.6,
            "unsmoothed": 4.0,
            "modalities": {"face": {"mood": 4.1, "weight": 1.0}},
            "disagreement": None,
            "evidence": [{"modality": "face", "seq": 0, "model": _FACE, "weight": 1.0}],
        }
    ],
}
EVIDENCE: Final[dict[str, Any]] = {
    "session_id": SESSION_ID,
    "evidence": [
        {
            "session_id": SESSION_ID,
            "modality": "face",
            "seq": 0,
            "start_s": 0.2,
            "end_s": 0.2,
            "status": "scored",
            "reason": None,
            "mood": 4.1,
            "distribution": _DISTRIBUTION,
            "confidence": 0.58,
            "quality": 0.9,
            "details": {
                "kind": "face",
                "faces": [{"x": 0.4, "y": 0.2, "width": 0.2, "height": 0.3, "confidence": 0.99, "main": True}],
                "face_px": 120.0,
            },
            "model": _FACE,
            "queue_s": 0.01,
            "compute_s": 0.004,
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "relative_voice": None,
        }
    ],
    "next_cursor": "0.2:1",
}
RECEIPT: Final[dict[str, Any]] = {"session_id": SESSION_ID, "erased_at": _BEGAN, "evidence": 103, "keys": 9}
PROBLEM: Final[dict[str, Any]] = {
    "type": "about:blank",
    "title": "Not Found",
    "status": 404,
    "detail": "There is no such session, or the token is not its own; check both, and whether its retention is over.",
}
WHOLE: Final[dict[str, Any]] = {
    **SUMMARY,
    "transcript": [{"start_s": 0.4, "end_s": 2.1, "text": "I am glad that it works.", "mood": 4.2}],
    "timeline": TIMELINE["timeline"],
    "smoothing": TIMELINE["smoothing"],
    "course": {
        "mean": 3.9,
        "peak": {"start_s": 12.0, "end_s": 13.0, "mood": 4.4, "emotion": "joy"},
        "end": {"start_s": 10.0, "end_s": 20.0, "mood": 4.0, "emotion": "joy"},
        "disagreements": [{"start_s": 4.0, "end_s": 8.0, "between": ["text", "face"]}],
        "label": "mostly happy; words and face disagree from 0:04 to 0:08",
        "relative": False,
        "usual": None,
    },
}
