"""HTTP as an fsspec file system, with ranges that are checked.

fsspec's own trusts what servers say about ranges, asks with HEAD, which presigned
addresses deny, and reports every failure of its first request as a missing file.
"""

import re

import aiohttp
import yarl
from fsspec.implementations.http import HTTPFileSystem

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_VERSION = ("ETag", "Last-Modified")


class RangesIgnoredError(NotImplementedError):
    """The server sends other bytes than those of the range."""


class RangeHTTPFileSystem(HTTPFileSystem):
    """Files at http:// and https://, read-only.

    Args:
        connect_seconds: time limit for connecting.
        read_seconds: time limit for the next bytes.
        **options: as of fsspec's `HTTPFileSystem`.
    """

    def __init__(self, *, connect_seconds: float, read_seconds: float, **options):
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=connect_seconds, sock_read=read_seconds
        )
        # trust_env: proxies and ~/.netrc, as other programs use them.
        client = {"timeout": timeout, "trust_env": True}
        client |= options.pop("client_kwargs", {})
        super().__init__(client_kwargs=client, **options)

    def encode_url(self, url):
        """The URL as it is: signatures are of its very characters."""
        return yarl.URL(url, encoded="%" in url)

    async def _info(self, url, **kwargs):
        """Asks for the first byte: the reply shows the size, and that ranges work."""
        async with await self._get(url, 0, 1) as reply:
            if reply.status == 416:  # There is no first byte.
                return {"name": url, "size": 0, "type": "file", "partial": True}
            self._raise_for_status(reply, url)
            facts = {
                key: reply.headers[key] for key in _VERSION if key in reply.headers
            }
            if reply.status == 206 and (found := _content_range(reply)):
                size, partial = found[2], found[0] == 0
            else:
                size, partial = reply.content_length, False
            if reply.headers.get("Content-Encoding", "identity") != "identity":
                size, partial = None, False  # Both would be of the compressed bytes.
        return {
            "name": url,
            "size": size,
            "type": "file",
            "partial": partial and size is not None,
            **facts,
        }

    async def _exists(self, path, **kwargs):
        try:
            await self._info(path)
        except FileNotFoundError:
            return False
        return True

    async def _isdir(self, path):
        """Folders end with a slash; their content is read from the server's page."""
        return path.endswith("/") and await self._exists(path)

    async def _cat_file(self, url, start=None, end=None, **kwargs):
        if start is None or end is None:
            return await super()._cat_file(url, start, end, **kwargs)
        async with await self._get(url, start, end) as reply:
            if reply.status == 416:
                return b""
            self._raise_for_status(reply, url)
            found = _content_range(reply)
            if reply.status != 206 or found is None or found[0] != start:
                raise RangesIgnoredError(
                    f"asked for byte {start}, the server sends "
                    f"{reply.headers.get('Content-Range', 'the whole file')}"
                )
            return (await reply.read())[: end - start]

    async def _get(self, url, start, end):
        """The request of the bytes from `start` to `end`, which is not sent."""
        session = await self.set_session()
        options = dict(self.kwargs)
        headers = {
            **options.pop("headers", {}),
            "Range": f"bytes={start}-{end - 1}",
            "Accept-Encoding": "identity",
        }
        return session.get(self.encode_url(url), headers=headers, **options)

    def _raise_for_status(self, reply, url):
        if reply.status in (404, 410):
            raise FileNotFoundError(url)
        reply.raise_for_status()


def _content_range(reply):
    """First and last byte and size; None if the server does not say."""
    found = _RANGE.fullmatch(reply.headers.get("Content-Range", ""))
    if not found or found[3] == "*":
        return None
    return int(found[1]), int(found[2]), int(found[3])
