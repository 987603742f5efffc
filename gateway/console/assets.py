"""The console's own files for browsers: style, script and images, from this host alone, compressed once."""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_A_WHILE: Final = "max-age=300"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file: its bytes as they are, and compressed."""

    media_type: str
    octets: bytes
    zipped: bytes
    tag: str


class Assets:
    """Every file of `static/` that a browser may have."""

    def __init__(self) -> None:
        self._assets: Mapping[str, Asset] = MappingProxyType(
            dict(_read(resources.files("gateway.console").joinpath("static")))
        )

    def address(self, name: str) -> str:
        """Give where a file is; the address changes with its content, so that it may be kept for ever.

        Raises:
            KeyError: there is no such file.
        """
        return f"/console/static/{name}?v={self._assets[name].tag}"

    async def give(self, request: Request) -> Response:
        """Give a file."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(404)
        current = request.query_params.get("v") == asset.tag
        headers = {
            "ETag": f'"{asset.tag}"',
            "Cache-Control": _FOR_EVER if current else _A_WHILE,
            "Vary": "Accept-Encoding",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.zipped, 200, {**headers, "Content-Encoding": "gzip"}, asset.media_type)
        return Response(asset.octets, 200, headers, asset.media_type)


def _read(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Asset]]:
    for file in folder.iterdir():
        if file.is_dir():
            yield from _read(file, f"{prefix}{file.name}/")
            continue
        media_type = _TYPES.get("." + file.name.rpartition(".")[2])
        if media_type is None:
            continue
        octets = file.read_bytes()
        yield (
            prefix + file.name,
            Asset(
                media_type=media_type,
                octets=octets,
                zipped=gzip.compress(octets, 9, mtime=0),
                tag=hashlib.sha256(octets).hexdigest()[:16],
            ),
        )
