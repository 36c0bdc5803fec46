"""All errors that MISC raises on purpose.

    MiscError
    ├── LocalError             our side: a user or an installation can mend it
    │   ├── ConfigError        an option or a combination of options makes no sense
    │   ├── MissingExtraError  an optional package is not installed
    │   ├── PackError          a model pack is absent, incomplete or altered
    │   ├── SourceError        a camera, a picture, a video or a folder cannot be read
    │   └── TransportError     a broker, a peer, a server or a recording file does not answer
    ├── NotDeliveredError      what was asked for has not arrived, and nobody here is at fault
    └── RemoteError            bytes from outside are wrong; count them and go on
        ├── WireError          a datagram is malformed
        ├── ProtocolError      a well-formed datagram that is not allowed here
        ├── BitstreamError     a layer's bytes do not decode
        ├── LimitError         something is larger than the agreed limit
        ├── PackMismatchError  the two ends hold different models
        ├── MissingBaseError   a delta was made against a picture that is not here
        └── SemanticsError     a vision server or model gave no usable words

A message says what was found, what was expected and, for a local error, what to do.
Code that faces the network catches ``RemoteError``; a command line catches ``MiscError``.
"""

__all__ = [
    "BitstreamError",
    "ConfigError",
    "LimitError",
    "LocalError",
    "MiscError",
    "MissingBaseError",
    "MissingExtraError",
    "NotDeliveredError",
    "PackError",
    "PackMismatchError",
    "ProtocolError",
    "RemoteError",
    "SemanticsError",
    "SourceError",
    "TransportError",
    "WireError",
    "refusal_cause",
]


class MiscError(Exception):
    """Base of everything that MISC raises on purpose."""


class LocalError(MiscError):
    """Our own side is at fault; the message names the mending command."""


class ConfigError(LocalError):
    """An option, or a combination of options, makes no sense."""


class MissingExtraError(LocalError):
    """An optional package is needed but not installed.

    Args:
        feature: What the user asked for, as in "Refinement".
        package: The import name that is missing, as in "torch".
        extra: The extra of this distribution that brings it, as in "receiver".
    """

    def __init__(self, feature: str, *, package: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {package}, which is not installed; "
            f"run: pip install 'misc-streaming[{extra}]'"
        )
        self.feature = feature
        self.package = package
        self.extra = extra


class PackError(LocalError):
    """A model pack or one of its components is absent, incomplete or altered."""


class SourceError(LocalError):
    """A camera, picture, video or folder cannot be opened or read."""


class TransportError(LocalError):
    """A broker, peer, vision server or recording file cannot be reached, written or read."""


class NotDeliveredError(MiscError):
    """What was asked for has not arrived: nobody was there, or nothing usable came."""


class RemoteError(MiscError):
    """Bytes from outside are wrong; the receiver of them counts it and goes on."""


class WireError(RemoteError):
    """A datagram is malformed: not msgpack, or not of a known shape."""


class ProtocolError(RemoteError):
    """A datagram is well formed but not allowed in the present state."""


class BitstreamError(RemoteError):
    """The bytes of a layer do not decode."""


class LimitError(RemoteError):
    """A size, a count or a dimension is above the agreed limit."""


class PackMismatchError(RemoteError):
    """The two ends hold different model packs, so pictures would come out wrong."""


class SemanticsError(RemoteError):
    """A vision server or model gave no usable words; the picture goes without them."""


class MissingBaseError(RemoteError):
    """A delta was made against a picture that is not here; ask for one that stands alone."""


def refusal_cause(error: RemoteError) -> str:
    """In a word or two, why a datagram was not taken: for counters."""
    match error:
        case WireError():
            return "malformed"
        case LimitError():
            return "too-large"
        case ProtocolError():
            return "not-allowed"
    return "other"
