"""Who may look: by the token itself, or by a session that began with it."""

from __future__ import annotations

from aiohttp import web

from misc_receiver.view.sessions import Sessions
from misc_receiver.view.token import ViewToken, token_in_header
from misc_shared.web.places import address_group
from misc_shared.web.throttle import login_throttle

__all__ = ["COOKIE", "PLAIN", "ViewAccess"]

COOKIE = "misc_view"

PLAIN = (".jpg", ".png", ".mjpg")
"""What programs without headers of their own fetch: for these the token may be in the URL."""


class ViewAccess:
    """Decides who is let in.

    Args:
        token: what has to be known.
        sessions: of those who have logged in.

    Attributes:
        sessions: see above.
    """

    def __init__(self, token: ViewToken, sessions: Sessions) -> None:
        self._token = token
        self.sessions = sessions
        self._throttle = login_throttle()

    def admits(self, request: web.Request) -> bool:
        """Whether a request may."""
        if self.session_of(request) is not None:
            return True
        given = token_in_header(request.headers.get("Authorization", ""))
        if given is None and request.path.endswith(PLAIN):
            given = request.query.get("token")
        return given is not None and self.is_token(given, address=request.remote)

    def is_token(self, given: str, *, address: str | None) -> bool:
        """Whether this is the token; never, while an address has to wait for its failures.

        Args:
            given: what was shown.
            address: the IP address that shows it.
        """
        if self.wait(address):
            return False
        if self._token.matches(given):
            return True
        self._throttle.count(address_group(address or ""))
        return False

    def wait(self, address: str | None) -> int:
        """Seconds until an address may show a token again, 0 for now.

        Sessions do not wait, so nobody can lock out who is in.

        Args:
            address: an IP address, or None if nobody knows.
        """
        return self._throttle.wait(address_group(address or ""))

    def session_of(self, request: web.Request) -> str | None:
        """The cookie of the session that a request belongs to, if it does."""
        cookie = request.cookies.get(COOKIE, "")
        return cookie if self.sessions.knows(cookie) else None
