"""The dashboard: plain files of this service, and plotly.js out of the plotly wheel. It works offline."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.fusion.api.problems import problem_response

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PLOTLY: Final = f"plotly-{version('plotly')}.min.js"
_YEAR: Final = "public, max-age=31536000, immutable"
_CHECKED: Final = "no-cache"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Asset:
    """A file as it is sent."""

    plain: bytes
    packed: bytes
    tag: str
    media_type: str
    cached: str


@router.get("/")
def read_page(request: Request) -> Response:
    """Show the dashboard."""
    return _send(request, "index.html")


@router.get("/assets/{name}")
def read_asset(request: Request, name: str) -> Response:
    """Give a file of the dashboard."""
    return _send(request, name)


def _send(request: Request, name: str) -> Response:
    asset = _load(name) if name == _PLOTLY or name in _names() else None
    if asset is None:
        return problem_response(404, "There is no such file; the dashboard is at /.")
    headers = {"ETag": asset.tag, "Cache-Control": asset.cached, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == asset.tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(asset.plain, media_type=asset.media_type, headers=headers)


@cache
def _names() -> frozenset[str]:
    return frozenset(each.name for each in files("services.fusion").joinpath("dashboard").iterdir() if each.is_file())


@cache
def _load(name: str) -> _Asset:
    plain = _plotly() if name == _PLOTLY else files("services.fusion").joinpath("dashboard", name).read_bytes()
    plain = plain.replace(b"{{plotly}}", _PLOTLY.encode()) if name == "index.html" else plain
    return _Asset(
        plain=plain,
        packed=gzip.compress(plain, 6, mtime=0),
        tag=f'"{hashlib.sha256(plain).hexdigest()[:32]}"',
        media_type=_TYPES.get(Path(name).suffix, "application/octet-stream"),
        cached=_YEAR if name == _PLOTLY else _CHECKED,
    )


def _plotly() -> bytes:
    """Return plotly.js without importing plotly, which this service has no other use for."""
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise RuntimeError("plotly is not installed")
    return Path(spec.origin).with_name("package_data").joinpath("plotly.min.js").read_bytes()
