"""The connection to Redis."""

from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(url: str, ca_file: Path | None = None) -> "redis.Redis":
    """Return a client as :class:`~services.fusion.store.session_store.SessionStore` wants it; it connects on first use.

    Args:
        url: For example ``redis://127.0.0.1:6379/0``, or ``rediss://`` for TLS, which checks who the server is.
        ca_file: Certificates (PEM) of the authorities that may vouch for it; the system's own where it is None.
    """
    tls = {"ssl_ca_certs": str(ca_file)} if ca_file is not None and url.startswith("rediss://") else {}
    # The answers wait less long than Prometheus does for /metrics (10 s), which is to say that the store is silent.
    # What was asked may have been done although no answer came; whether asking again is harmless is for the caller.
    once = Retry(NoBackoff(), 0)
    return redis.Redis.from_url(
        url, decode_responses=True, socket_timeout=8, socket_connect_timeout=5, retry=once, **tls
    )
