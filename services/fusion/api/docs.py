"""The interactive documentation, from files that are installed with the service: it works offline."""

import json
from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

_FILES: Final = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mien: HTTP API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="swagger"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
</body></html>
"""
_OPTIONS: Final = {"url": "/openapi.json", "dom_id": "#swagger", "deepLinking": True, "validatorUrl": None}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def read_docs() -> HTMLResponse:
    """Show the documentation."""
    return HTMLResponse(_PAGE)


@router.get("/docs/start.js")
def read_start() -> Response:
    """Start Swagger UI."""
    return Response(f"SwaggerUIBundle({json.dumps(_OPTIONS)});", media_type="text/javascript; charset=utf-8")


@router.get("/docs/{name}")
def read_asset(name: str) -> Response:
    """Give a file of Swagger UI."""
    if name not in _FILES:
        return Response(status_code=404)
    data = files("fastapi_offline").joinpath("static", name).read_bytes()
    return Response(data, media_type=_FILES[name], headers={"Cache-Control": "public, max-age=86400"})
