"""Says inside pictures and videos that they were made by AI: IPTC's digital source type, as XMP.

IPTC Photo Metadata Standard, property "Digital Source Type"; XMP specification part 3, "Storage in files".
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

SourceType = Literal["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"]
"""IPTC's terms: wholly made by a trained model, or partly (part swap puts an avatar's parts into a real picture)."""
VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = b"XML:com.adobe.xmp"
XMP_UUID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
"""Of the box that holds XMP in MP4 and QuickTime files."""
EBML_MAGIC = b"\x1a\x45\xdf\xa3"
PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 Iptc4xmpExt:DigitalSourceType="{vocabulary}{kind}"
 xmp:CreatorTool="puppet"/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def kind_of(*, is_mixed: bool) -> SourceType:
    """The term for what the program makes; mixed is what shows real pictures too."""
    return "compositeWithTrainedAlgorithmicMedia" if is_mixed else "trainedAlgorithmicMedia"


def xmp(kind: SourceType) -> bytes:
    """The XMP packet, UTF-8."""
    return PACKET.format(vocabulary=VOCABULARY, kind=kind).encode()


def mark_png(encoded: bytes, kind: SourceType) -> bytes:
    """Add the packet to a PNG file as an iTXt chunk right after the header.

    Raises:
        ValueError: it is not a PNG file.
    """
    header_end = len(PNG_SIGNATURE) + 25  # IHDR: length, name, 13 bytes, check sum
    if not encoded.startswith(PNG_SIGNATURE) or encoded[12:16] != b"IHDR":
        raise ValueError("not a PNG file")
    # keyword, 0, not compressed, method 0, no language, no translated keyword, text
    body = b"iTXt" + XMP_KEYWORD + b"\0\0\0\0\0" + xmp(kind)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return encoded[:header_end] + chunk + encoded[header_end:]


def mark_video(path: Path, kind: SourceType) -> None:
    """Add the packet to a finished MP4 or QuickTime file as its last box; Matroska files are left as they are.

    Matroska has no place for XMP; there the writer sets a tag (see `tags`).

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("r+b") as file:
        if file.read(4) == EBML_MAGIC:
            return
        file.seek(0, 2)
        body = XMP_UUID + xmp(kind)
        file.write(struct.pack(">I", 8 + len(body)) + b"uuid" + body)


def tags(kind: SourceType) -> dict[str, str]:
    """The same as container tags, which players show."""
    return {"comment": f"Made by AI: {VOCABULARY}{kind}", "DIGITAL_SOURCE_TYPE": f"{VOCABULARY}{kind}"}


def read(data: bytes) -> str | None:
    """The digital source type named in a file's XMP packet, without the vocabulary's address; None if there is none."""
    start = data.find(b'DigitalSourceType="' + VOCABULARY.encode())
    if start < 0:
        return None
    begin = start + len(b'DigitalSourceType="') + len(VOCABULARY)
    return data[begin : data.index(b'"', begin)].decode()
