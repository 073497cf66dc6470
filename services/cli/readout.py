"""What is found out of a session while it runs and when it is over: asked of the fusion service over HTTP."""

import json
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Final, Protocol
from urllib.parse import SplitResult, urlsplit

from services.fusion.schema import SessionResult, SessionSummary
from shared.errors import SessionError, SettingsError

_EVERY_S: Final = 1.0
_TIMEOUT_S: Final = 10.0
_STALL_S: Final = 60.0
_COMPLETE: Final = "complete"


class Readout(Protocol):
    """What is known of one session."""

    @property
    def can_erase(self) -> bool:
        """Whether :meth:`erase` works."""

    @property
    def note(self) -> str | None:
        """Why there is no news, in a sentence; None where there is."""

    @property
    def gone(self) -> bool:
        """Whether the session was seen and is not there any more: it was deleted, or its time is over."""

    def latest(self) -> SessionSummary | None:
        """Return the newest result so far, or None where there is none yet."""

    def result(self) -> SessionResult | None:
        """Wait until every chunk is accounted for, or nothing more comes for a minute, and return the result.

        Returns:
            None where there is none, at once where the session is gone.
        """

    def erase(self) -> str:
        """Erase everything about the session, and say so in a sentence.

        Raises:
            SessionError: If it cannot be erased.
        """

    def close(self) -> None:
        """Ask no more."""


class NoReadout:
    """Stands where nobody was named who could be asked."""

    can_erase = gone = False
    note: str | None = "shown with --api URL of the fusion service"

    def latest(self) -> SessionSummary | None:
        """Return nothing."""
        return None

    def result(self) -> SessionResult | None:
        """Return nothing."""
        return None

    def erase(self) -> str:
        """Refuse."""
        raise SessionError("Nobody was named who could erase the session; name the fusion service with --api.")

    def close(self) -> None:
        """Do nothing."""


class HttpReadout:
    """Asks the fusion service once a second, on a thread of its own, with the session's token.

    Args:
        url: The service, ``http://host:port`` or ``https://host:port``; a certificate is always checked.
        session_id: The session.
        token: What opens it.

    Raises:
        SettingsError: If the URL is none.
    """

    can_erase = True

    def __init__(self, url: str, session_id: str, token: str) -> None:
        self._parts = _service_of(url)
        self._path = f"{self._parts.path.rstrip('/')}/v1/sessions/{session_id}"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._lock = Lock()
        self._latest: SessionSummary | None = None
        self._gone = False
        self._note: str | None = "waiting for the first score"
        self._closed = Event()
        self._thread = Thread(target=self._follow, name="readout", daemon=True)
        self._thread.start()

    @property
    def note(self) -> str | None:
        """Why there is no news, in a sentence; None where there is."""
        with self._lock:
            return self._note

    @property
    def gone(self) -> bool:
        """Whether the session was seen and the service has said since that it is not there."""
        with self._lock:
            return self._gone

    def latest(self) -> SessionSummary | None:
        """Return the newest result so far, or None where there is none yet."""
        with self._lock:
            return self._latest

    def result(self) -> SessionResult | None:
        """Wait until every chunk is accounted for, or nothing more comes for a minute, and return the result.

        Returns:
            None where there is none, at once where the session is gone.
        """
        before, since = None, monotonic()
        while not self.gone and monotonic() - since < _STALL_S and not self._closed.wait(_EVERY_S / 2):
            latest = self.latest()
            if latest is not None and latest.status == _COMPLETE:
                break
            if latest != before:
                before, since = latest, monotonic()
        status, answer = self._ask("GET", "?include=timeline,transcript")
        with self._lock:
            self._gone |= status is HTTPStatus.NOT_FOUND and self._latest is not None
        return SessionResult.model_validate(answer) if status is HTTPStatus.OK else None

    def erase(self) -> str:
        """Erase everything about the session, and say so in a sentence.

        Raises:
            SessionError: If the service does not answer or refuses.
        """
        status, answer = self._ask("DELETE")
        if status is not HTTPStatus.OK:
            raise SessionError(
                f"The session was not erased ({answer.get('detail') or self.note}); "
                "try again with DELETE /v1/sessions/ID and its token."
            )
        return f"The session is erased: {answer['evidence']} pieces of evidence at {answer['erased_at']}."

    def close(self) -> None:
        """Ask no more."""
        self._closed.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._closed.wait(_EVERY_S):
            status, answer = self._ask("GET")
            with self._lock:
                if status is HTTPStatus.OK:
                    self._latest, self._note, self._gone = SessionSummary.model_validate(answer), None, False
                elif status is not None:
                    self._note = str(answer.get("detail", f"the service answered {int(status)}"))
                    self._gone = status is HTTPStatus.NOT_FOUND and self._latest is not None

    def _ask(self, method: str, query: str = "") -> tuple[HTTPStatus | None, dict[str, Any]]:
        """Ask, and return the status and the answer; no status where there was no answer."""
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, self._path + query, headers=self._headers)
            answer = connection.getresponse()
            body: dict[str, Any] = json.loads(answer.read() or b"{}")
            return HTTPStatus(answer.status), body
        except (OSError, HTTPException, ValueError) as error:
            with self._lock:
                self._note = f"{self._parts.netloc} does not answer ({type(error).__name__})"
            return None, {}
        finally:
            connection.close()


def _service_of(url: str) -> SplitResult:
    refusal = SettingsError(f"{url} is not the address of a service; give http://host:port or https://host:port.")
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that cannot be
        raise refusal from None
    if not is_one:
        raise refusal
    return parts
