"""Answers that a client need not get twice: a strong ETag of the body (RFC 9110, 8.8.3)."""

import hashlib
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

JSON: Final = "application/json"

NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {
    int(HTTPStatus.NOT_MODIFIED): {"description": "What the client has, as If-None-Match names it, is still so."}
}


def tagged(request: Request, body: bytes | str, media_type: str, headers: dict[str, str] | None = None) -> Response:
    """Return a body with its ETag, or 304 where the client has it already.

    Args:
        request: Its ``If-None-Match`` is looked at.
        body: The answer.
        media_type: What it is.
        headers: Further headers.
    """
    data = body.encode() if isinstance(body, str) else body
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    every = {"ETag": tag, "Cache-Control": "no-store", **(headers or {})}
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=every)
    return Response(data, media_type=media_type, headers=every)


def tagged_model(request: Request, model: BaseModel, headers: dict[str, str] | None = None) -> Response:
    """Return a model as JSON with its ETag; fields that were not set are left out."""
    return tagged(request, model.model_dump_json(exclude_unset=True), JSON, headers)
