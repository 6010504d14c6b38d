"""Character cards in pictures: the JSON lies as base64 in a tEXt chunk of a PNG, `ccv3` for V3 and `chara` for V2.

The chunks are read without decoding the picture, and nothing is decompressed, so that no file can grow while it is read.
"""

import base64
import binascii
import io
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin, UnidentifiedImageError

PNG = b"\x89PNG\r\n\x1a\n"
MOST_CHUNKS = 20_000
MOST_PIXELS = 16_000_000
_PORTRAIT = (400, 600)
_SHEET, _INK = "#dce8e6", "#12262c"


class Found(NamedTuple):
    """The JSON of a card, and what a reader should know of the picture it was in."""

    text: bytes
    notes: tuple[str, ...] = ()


def card_in_png(content: bytes) -> Found:
    """The card in a PNG, V3 before V2. Raises ValueError, whose message says what is wrong with the file."""
    texts: dict[str, bytes] = {}
    packed = False
    for kind, data in _chunks(content):
        if kind == b"tEXt":
            keyword, _, value = data.partition(b"\0")
            texts.setdefault(keyword.decode("latin-1").lower(), value)  # V1 wrote "Chara"
        packed = packed or kind in (b"zTXt", b"iTXt")
    for key in ("ccv3", "chara"):
        if key in texts:
            try:
                text = base64.b64decode(b"".join(texts[key].split()), validate=True)
            except binascii.Error as error:
                raise ValueError(f"the card in it is damaged ({key}: {error}); export it again") from error
            assets = any(name.startswith("chara-ext-asset_") for name in texts)
            lost = ("The pictures and sounds inside the file are not kept; keep the file too.",) if assets else ()
            return Found(text, lost)
    compressed = "; its text is compressed, which the specification of cards does not allow" if packed else ""
    raise ValueError(f"there is no character card in this picture{compressed}; export the card again as PNG or JSON")


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's kind and data, up to the end mark."""
    at = len(PNG)
    for _ in range(MOST_CHUNKS):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        data, check = content[at + 8 : at + 8 + length], content[at + 8 + length : at + 12 + length]
        if len(check) != 4:
            raise ValueError("the picture is cut short; copy it again from where it came")
        if kind == b"IEND":
            return
        if kind == b"tEXt" and int.from_bytes(check, "big") != zlib.crc32(kind + data):
            raise ValueError("the picture is damaged (a checksum is wrong); copy it again from where it came")
        yield kind, data
        at += 12 + length
    raise ValueError("the picture is cut into too many pieces; save it again with a picture editor")


def png_with_cards(cards: dict[str, str], name: str, picture: bytes | None = None) -> bytes:
    """A PNG that carries `cards` (JSON by chunk name); `picture` in any common form, else the initials of `name`.

    Raises ValueError when the picture cannot be read.
    """
    image = _opened(picture) if picture is not None else _initials(name)
    text = PngImagePlugin.PngInfo()
    for key, card in cards.items():
        text.add_text(key, base64.b64encode(card.encode()).decode())
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=text)
    return out.getvalue()


def _opened(picture: bytes) -> Image.Image:
    """The picture without whatever text it carried; its size is known before a pixel is decoded."""
    try:
        with Image.open(io.BytesIO(picture), formats=("PNG", "JPEG", "WEBP")) as image:
            if image.width * image.height <= MOST_PIXELS:
                return image.convert("RGBA" if image.has_transparency_data else "RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ValueError("is not a PNG, JPEG or WebP picture that can be read") from error
    except Image.DecompressionBombError:
        pass
    raise ValueError(f"has more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller first")


def _initials(name: str) -> Image.Image:
    image = Image.new("RGB", _PORTRAIT, _SHEET)
    letters = "".join(part[0] for part in name.split()[:2]).upper()
    middle = (_PORTRAIT[0] / 2, _PORTRAIT[1] / 2)
    ImageDraw.Draw(image).text(middle, letters, fill=_INK, font=ImageFont.load_default(160), anchor="mm")
    return image
