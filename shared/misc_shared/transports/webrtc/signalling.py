"""The sender's side of the signalling: an HTTP client that speaks WHIP. RFC 9725."""

from __future__ import annotations

import logging
import ssl
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import aiohttp

from misc_shared.errors import TransportError
from misc_shared.transports.address import WebrtcAddress
from misc_shared.transports.webrtc.link import MAX_SDP

__all__ = ["WhipClient"]

_log = logging.getLogger(__name__)

_SDP = "application/sdp"
_REASON_LIMIT = 200
# An attempt to connect repeats its first packet after 1 and 3 s; a fresh attempt does so too.
_TIMEOUT = aiohttp.ClientTimeout(total=30.0, sock_connect=5.0)
_SHORT_TIMEOUT = aiohttp.ClientTimeout(total=6.0, sock_connect=5.0)


class WhipClient:
    """Agrees with one receiver on connections for one stream, one at a time.

    Args:
        address: the receiver.
        stream: the stream's name.
        token: the bearer token, or None.
        tls: the TLS settings, for https.
    """

    def __init__(
        self,
        address: WebrtcAddress,
        *,
        stream: str,
        token: str | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._url = address.endpoint(stream)
        self._where = f"the receiver at {address.host}:{address.port}"
        self._stream = stream
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._tls = tls
        self._session_url: str | None = None

    async def invite(self, offer: str) -> str:
        """Send an offer; returns the answer.

        Raises:
            TransportError: the receiver does not answer, or does not want it.
        """
        try:
            async with self._http(_TIMEOUT) as http:
                status, text = await self._post(http, offer)
                if status == HTTPStatus.CONFLICT and self._session_url is not None:
                    # It still hears us on the connection that we have lost: that one is over.
                    await self._delete(http)
                    status, text = await self._post(http, offer)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise TransportError(
                f"{self._where} does not answer ({str(error) or type(error).__name__}); check the "
                "address, or start misc-recv there"
            ) from None
        if status != HTTPStatus.CREATED:
            raise TransportError(self._explain(status, text))
        return text

    async def bye(self) -> None:
        """End the session; nothing happens if the receiver is not there to hear it."""
        if self._session_url is not None:
            try:
                async with self._http(_SHORT_TIMEOUT) as http:
                    await self._delete(http)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                _log.debug("the session was not ended: %s", error)

    def _http(self, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=True if self._tls is None else self._tls)
        return aiohttp.ClientSession(
            connector=connector, headers=self._headers, timeout=timeout, max_field_size=2048
        )

    async def _post(self, http: aiohttp.ClientSession, offer: str) -> tuple[int, str]:
        async with http.post(
            self._url, data=offer, headers={"Content-Type": _SDP}, allow_redirects=False
        ) as response:
            text = await _read(response, limit=MAX_SDP)
            location = response.headers.get("Location")
            if response.status == HTTPStatus.CREATED:
                # Only there: whoever answers must not send our token elsewhere.
                same = location is not None and _origin(urljoin(self._url, location)) == _origin(
                    self._url
                )
                self._session_url = urljoin(self._url, location) if same and location else None
            return response.status, text

    async def _delete(self, http: aiohttp.ClientSession) -> None:
        assert self._session_url is not None  # noqa: S101 - the callers looked
        url, self._session_url = self._session_url, None
        async with http.delete(url, allow_redirects=False):
            pass

    def _explain(self, status: int, text: str) -> str:
        match status:
            case HTTPStatus.UNAUTHORIZED:
                return (
                    f"{self._where} refuses our bearer token; give the one that it shows or keeps, "
                    "with --webrtc-token-file or in MISC_WEBRTC_TOKEN"
                )
            case HTTPStatus.CONFLICT:
                return (
                    f"{self._where} hears another sender of the stream {self._stream!r}; "
                    "name this one otherwise with --stream"
                )
        reason = " ".join(text.split())[:_REASON_LIMIT] or HTTPStatus(status).phrase
        return f"{self._where} refuses the stream {self._stream!r} (HTTP {status}: {reason})"


async def _read(response: aiohttp.ClientResponse, *, limit: int) -> str:
    body = bytearray()
    async for part in response.content.iter_chunked(4096):
        body += part
        if len(body) > limit:
            raise aiohttp.ClientPayloadError(f"an answer of more than {limit} bytes")
    return body.decode()


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
