"""Who may do what: a session's bearer token opens that session; an API key, where keys are set, opens new ones."""

import hashlib
import hmac
from collections import OrderedDict
from http import HTTPStatus
from typing import Annotated, Final, cast

from fastapi import Depends, Path, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from services.fusion.api.limits import API_KEY, AUTHORIZATION, let_in
from services.fusion.api.problems import ProblemError
from services.fusion.settings import FusionSettings
from services.fusion.store.session_store import SessionStore

_REMEMBERED: Final = 10_000
_NO_DIGEST: Final = "0" * 64

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="session token",
    description="The token that was shown when the session was created.",
)
_api_key = APIKeyHeader(
    name="X-API-Key",
    auto_error=False,
    scheme_name="API key",
    description="Needed to create and to list sessions where the service has keys set.",
)


async def store_of(request: Request) -> SessionStore:
    """Return the store of the app."""
    return cast("SessionStore", request.app.state.store)


Store = Annotated[SessionStore, Depends(store_of)]


class Opened:
    """Remembers which token opens which session, by its digest, so that not every request asks the store.

    A session's token never changes, and one that is erased has nothing left to open.
    """

    def __init__(self) -> None:
        self._digests: OrderedDict[str, str] = OrderedDict()

    async def opens(self, store: SessionStore, session_id: str, token: str) -> bool:
        """Return whether a token is the session's own; an unknown session takes as long as a wrong token."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        if hmac.compare_digest(self._digests.get(session_id, _NO_DIGEST), digest):
            return True
        if not await run_in_threadpool(store.token_matches, session_id, token):
            return False
        self._digests[session_id] = digest
        if len(self._digests) > _REMEMBERED:
            self._digests.popitem(last=False)
        return True

    def forget(self, session_id: str) -> None:
        """Drop what is remembered of a session that is erased."""
        self._digests.pop(session_id, None)


async def opened_session(
    request: Request,
    session_id: Annotated[str, Path(max_length=64, examples=["3q2-7wAAsBcDe_f0"])],
    store: Store,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> str:
    """Return the session's id, where the request carries its token.

    An unknown session and a wrong token get the same answer in the same time, so that nobody learns which ids exist.
    """
    if credentials is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "Send the session's token as 'Authorization: Bearer TOKEN'; it was shown when the session was created.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    opened = cast("Opened", request.app.state.opened)
    if not await opened.opens(store, session_id, credentials.credentials):
        raise no_such_session()
    let_in(request, by=AUTHORIZATION)
    return session_id


OpenedSession = Annotated[str, Depends(opened_session)]


EVERYBODY: Final = "everybody"
"""Whose the sessions are that are created where no keys are set."""


async def key_holder(request: Request, api_key: Annotated[str | None, Security(_api_key)]) -> str:
    """Let a request pass that may create and list sessions, and return the digest of its key."""
    settings = cast("FusionSettings", request.app.state.settings)
    if not settings.fusion_api_keys:
        return EVERYBODY
    digest = hashlib.sha256((api_key or "").encode()).hexdigest()
    matches = [hmac.compare_digest(digest, key) for key in settings.fusion_api_keys]
    if not any(matches):
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "Send a valid key as 'X-API-Key: KEY'; whoever runs this service hands them out.",
            headers={"WWW-Authenticate": "API-Key"},
        )
    let_in(request, by=API_KEY)
    return digest


KeyHolder = Annotated[str, Depends(key_holder)]


def no_such_session() -> ProblemError:
    """Return the answer for a session that does not exist, or whose token is another."""
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "There is no such session, or the token is not its own; check both, and whether its retention is over.",
    )
