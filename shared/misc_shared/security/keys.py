"""The secret of one camera: 32 random bytes, shown to nobody.

As text it is `misc-key-1.SECRET.FINGERPRINT`: the secret in base64url without padding, and the
fingerprint, by which two people compare keys over the telephone and a copying error is noticed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from misc_shared.errors import ConfigError

__all__ = ["StreamKey"]

_SECRET_BYTES = 32
_FINGERPRINT_BYTES = 6
_MARK = "misc-key-1"


class StreamKey:
    """A camera's key. Neither `repr` nor `str` nor any error shows the secret.

    Args:
        secret: 32 bytes.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _SECRET_BYTES:
            raise ConfigError(f"a key of {len(secret)} bytes: expected {_SECRET_BYTES}")
        self._secret = secret

    @classmethod
    def generate(cls) -> StreamKey:
        """Draw a new key from the system's randomness."""
        return cls(secrets.token_bytes(_SECRET_BYTES))

    @classmethod
    def from_text(cls, text: str) -> StreamKey:
        """Read the text form.

        Raises:
            ConfigError: it is none, or was copied wrongly; the message does not repeat it.
        """
        mark, _, rest = text.partition(".")
        encoded, _, fingerprint = rest.partition(".")
        if mark != _MARK:
            raise ConfigError(f"it does not begin with {_MARK}: expected what keygen writes")
        try:
            key = cls(base64.b64decode(encoded + "=", altchars=b"-_", validate=True))
        except (binascii.Error, ValueError, ConfigError):
            raise ConfigError(f"its secret is not {_SECRET_BYTES} bytes in base64url") from None
        if not hmac.compare_digest(key.fingerprint.encode(), fingerprint.encode()):
            raise ConfigError("its fingerprint is another: it was copied wrongly")
        return key

    @property
    def text(self) -> str:
        """The text form, secret and all."""
        encoded = base64.urlsafe_b64encode(self._secret).decode().rstrip("=")
        return f"{_MARK}.{encoded}.{self.fingerprint}"

    @property
    def fingerprint(self) -> str:
        """12 hex digits in groups of four; they tell keys apart and tell nothing of the secret."""
        digest = hashlib.sha256(b"misc key fingerprint 1" + self._secret).hexdigest()
        digits = digest[: 2 * _FINGERPRINT_BYTES]
        return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))

    def derive(self, purpose: str, *, stream: str, runs: bytes) -> bytes:
        """A key for one purpose, one stream and one run of each end that matters for it.

        HKDF with SHA-256 (RFC 5869). The stream's name has no blank and a run a fixed length, so
        no two contexts read the same.

        Args:
            purpose: "forward", "back" or "ask".
            stream: the stream's name.
            runs: one or two run ids.

        Returns:
            64 bytes.
        """
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        info = f"misc seal 2 {purpose} {stream} ".encode() + runs
        return HKDF(algorithm=SHA256(), length=64, salt=None, info=info).derive(self._secret)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StreamKey):
            return NotImplemented
        return hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"<StreamKey {self.fingerprint}>"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a key is not pickled: hand on its file's name")
