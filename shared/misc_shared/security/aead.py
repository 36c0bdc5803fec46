"""ChaCha20-Poly1305 under one derived key. RFC 8439."""

from __future__ import annotations

from misc_shared.security.forms import nonce
from misc_shared.security.keys import StreamKey

__all__ = ["Cipher", "derive_cipher"]


class Cipher:
    """Seals and opens with one key; the counter is the nonce.

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        self._aead = ChaCha20Poly1305(key)

    def seal(self, counter: int, header: bytes, plaintext: bytes) -> bytes:
        """Header, ciphertext and tag."""
        return header + self._aead.encrypt(nonce(counter), plaintext, header)

    def open(self, counter: int, header: bytes, sealed: bytes) -> bytes | None:
        """The plaintext; None if it was not sealed so."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._aead.decrypt(nonce(counter), sealed, header)
        except InvalidTag:
            return None


def derive_cipher(key: StreamKey, purpose: str, *, stream: str, runs: bytes) -> Cipher:
    """The cipher for one purpose, stream and run of each end; arguments as `StreamKey.derive`."""
    return Cipher(key.derive(purpose, stream=stream, runs=runs))
