"""AES-SIV under one derived key. RFC 5297.

Chosen because it bears what we cannot rule out: a copy of a machine that seals two datagrams with
one counter. That shows whether the two are equal, and nothing else. ChaCha20-Poly1305 and AES-GCM
would give away both plaintexts and the key of their tags. The size is the same.
"""

from __future__ import annotations

from misc_shared.security.forms import nonce
from misc_shared.security.keys import StreamKey

__all__ = ["Cipher", "derive_cipher"]


class Cipher:
    """Seals and opens with one key; the counter is the nonce.

    Args:
        key: 64 bytes.
    """

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        self._aead = AESSIV(key)

    def seal(self, counter: int, header: bytes, plaintext: bytes) -> bytes:
        """Header, tag and ciphertext."""
        return header + self._aead.encrypt(plaintext, [header, nonce(counter)])

    def open(self, counter: int, header: bytes, sealed: bytes) -> bytes | None:
        """The plaintext; None if it was not sealed so."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._aead.decrypt(sealed, [header, nonce(counter)])
        except InvalidTag:
            return None


def derive_cipher(key: StreamKey, purpose: str, *, stream: str, runs: bytes) -> Cipher:
    """The cipher for one purpose, stream and run of each end; arguments as `StreamKey.derive`."""
    return Cipher(key.derive(purpose, stream=stream, runs=runs))
