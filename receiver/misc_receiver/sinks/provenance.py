"""What a picture's file says of its origin, as XMP that other programs read.

IPTC's Digital Source Type tells viewers, archives and search engines that a trained model invented
part of a picture (IPTC Photo Metadata Standard 2023.1, XMP specification part 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

__all__ = ["GENERATED", "SOURCE_TYPE", "xmp_packet"]

SOURCE_TYPE = "DigitalSourceType"
"""The label's key under which the origin stands."""

GENERATED = "compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for a picture of which a model has invented part."""

_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "misc": "https://pypi.org/project/misc-streaming/ns/1.0/",
}
_PACKET = "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>{body}<?xpacket end='r'?>"


def xmp_packet(label: Mapping[str, str]) -> str:
    """Write a picture's label as an XMP packet.

    Args:
        label: what the file says about itself; the value of `SOURCE_TYPE` is one of IPTC's terms,
            keys are letters and digits.

    Returns:
        For PNG's iTXt chunk "XML:com.adobe.xmp", and in UTF-8 for JPEG's XMP segment.
    """
    said = {"xmp:CreatorTool": "misc-streaming"}
    for key, value in label.items():
        if key == SOURCE_TYPE:
            said[f"Iptc4xmpExt:{key}"] = _TERMS + value
        else:
            said[f"misc:{key}"] = value
    spaces = "".join(f" xmlns:{name}={quoteattr(uri)}" for name, uri in _NAMESPACES.items())
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in said.items())
    return _PACKET.format(
        body=f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF{spaces}>"
        f"<rdf:Description rdf:about=''{attributes}/></rdf:RDF></x:xmpmeta>"
    )
