"""Errors as ``application/problem+json`` (RFC 9457), each with a sentence that says what to do."""

import logging
from http import HTTPStatus
from typing import Any, Final

import redis
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from services.fusion.api.examples import PROBLEM

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

_NOT_FOUND: Final = "There is nothing at this address; see /docs for what there is."


class FieldFault(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """An error.

    Attributes:
        type: What kind of problem; ``about:blank``, where the status says it all.
        title: The status in words.
        status: The HTTP status.
        detail: What is wrong here, and what to do.
        errors: The fields at fault, where it is about fields.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [PROBLEM]})

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldFault] | None = None


class ProblemError(Exception):
    """Ends a request with a problem.

    Args:
        status: The HTTP status.
        detail: One sentence for the person who reads it.
        headers: Further headers of the answer.
    """

    def __init__(self, status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def problem_response(
    status: int, detail: str, errors: list[FieldFault] | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return a problem as an answer."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    content = problem.model_dump(exclude_none=True)
    return JSONResponse(content, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of the problems that an operation may answer with."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    schema["properties"]["errors"] = {"type": "array", "items": FieldFault.model_json_schema()}
    return {
        int(status): {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses
    }


def add_handlers(app: FastAPI) -> None:
    """Make every error of an app a problem."""
    app.exception_handler(ProblemError)(_on_problem)
    app.exception_handler(RequestValidationError)(_on_invalid)
    app.exception_handler(HTTPException)(_on_http)
    app.exception_handler(redis.RedisError)(_on_redis)
    app.exception_handler(Exception)(_on_bug)


async def _on_problem(_: Request, error: ProblemError) -> JSONResponse:
    return problem_response(error.status, error.detail, headers=error.headers)


async def _on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    faults = [
        FieldFault(field=".".join(map(str, fault["loc"][1:])) or str(fault["loc"][0]), message=fault["msg"])
        for fault in error.errors()
    ]
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults)
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, f"Correct the request: {detail}.", faults)


async def _on_http(_: Request, error: HTTPException) -> JSONResponse:
    detail = _NOT_FOUND if error.status_code == HTTPStatus.NOT_FOUND else f"{error.detail}; see /docs for more."
    return problem_response(error.status_code, detail, headers=dict(error.headers or {}))


async def _on_redis(request: Request, error: redis.RedisError) -> JSONResponse:
    logger.warning("Redis does not answer", extra={"path": request.url.path, "error": str(error)})
    detail = "The store does not answer; nothing is lost, try again in a few seconds."
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"})


async def _on_bug(_: Request, error: Exception) -> JSONResponse:
    logger.error("request failed", exc_info=error)
    detail = "This is a fault of the service; its log says more. Please report it."
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
