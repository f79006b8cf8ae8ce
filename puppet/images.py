"""Pictures on the host: read, crop, resize, put side by side. Nothing else changes pixels before or after the model."""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppet.errors import AvatarError, SinkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image as PillowImage

    from puppet.framing import Square
    from puppet.types import Floats, Image

log = logging.getLogger(__name__)

FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
"""What is decoded, told by content. Left out on purpose: formats that start other programs, such as EPS."""
MIN_SIDE = 16
"""Pixels; below it there is no face to see."""
MAX_PIXELS = 80_000_000
"""Decoded, 240 MB: more than phones take, less than Pillow's own warning (89 million)."""
GREY = 128
"""Shown behind transparent pixels: neutral, so that neither dark nor light edges bleed into the avatar."""


def read_picture(path: Path) -> Image:
    """Decode a picture file, told by its content and not by its name: upright, opaque, the first of several frames.

    Size is checked in the header, before any pixel is decoded.

    Returns:
        uint8 (H, W, 3), sRGB.

    Raises:
        AvatarError: there is no such file, it is no picture, is cut off, too small or too large.
    """
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    if not path.is_file():
        raise AvatarError(f"there is no picture at {path}; check the name")
    try:
        with warnings.catch_warnings():
            # A file's odd metadata is no failure; a size that Pillow warns about is refused below by our own limit.
            warnings.simplefilter("ignore")
            with Pillow.open(path, formats=[name for name in FORMATS if _is_readable(name)]) as picture:
                _check_size(path, picture.size)
                return _decode(picture)
    except Pillow.DecompressionBombError as error:
        raise AvatarError(
            f"{path} has far more than {MAX_PIXELS // 10**6} megapixels; make it smaller first"
        ) from error
    except UnidentifiedImageError as error:
        raise AvatarError(f"{path} is not a picture that can be read; give a PNG, JPEG, WebP or GIF file") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # Pillow's decoders report damage with any of these.
        raise AvatarError(f"{path} cannot be decoded ({error}); it may be cut off, save it again") from error


def write_picture(path: Path, image: Image) -> None:
    """Write uint8 (H, W, 3) RGB as PNG, in place at once or not at all.

    Raises:
        SinkError: the file cannot be written.
    """
    write_bytes(path, encode_png(image))


def encode_png(image: Image) -> bytes:
    """A PNG file of uint8 (H, W, 3) RGB."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return encoded.tobytes()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, in place at once or not at all.

    Raises:
        SinkError: the file cannot be written.
    """
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise SinkError(f"{path} cannot be written ({error.strerror}); choose another place") from error


def resize(image: Image, *, width: int, height: int) -> Image:
    """Scale uint8 (H, W, 3): by pixel area when it shrinks, so that nothing aliases, else bicubic."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = width * height < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)


def resize_into(place: Image, image: Image) -> None:
    """As `resize`, into a part of a larger picture, whose size it takes; saves a copy."""
    size = (place.shape[1], place.shape[0])
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    cv2.resize(image, size, dst=place, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def fit(image: Image, *, longest: int) -> Image:
    """Shrink uint8 (H, W, 3) until its longer side is at most `longest` pixels; smaller pictures stay as they are."""
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    return resize(image, width=max(1, round(width * scale)), height=max(1, round(height * scale)))


def shrink_quickly(image: Image, *, width: int, height: int) -> Image:
    """As `resize`, in a sixth of the time: by area to a whole fraction, then bilinear; a level or two apart from it."""
    factor = min(image.shape[1] // width, image.shape[0] // height)
    if factor >= 2:
        size = (image.shape[1] // factor, image.shape[0] // factor)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def crop(image: Image, square: Square, *, size: int, quick: bool = False) -> Image:
    """Cut a square out and scale it; what lies outside the picture repeats its edge pixels.

    Args:
        image: uint8 (H, W, 3).
        square: in pixels of the picture.
        size: side of the result, pixels.
        quick: scale by `shrink_quickly`.

    Returns:
        uint8 (size, size, 3), contiguous.
    """
    height, width = image.shape[:2]
    left, top = round(square.x), round(square.y)
    side = max(1, round(square.side))
    right, bottom = left + side, top + side
    # At least one row and column remain to be repeated when the square lies wholly outside.
    rows = slice(min(max(top, 0), height - 1), max(min(bottom, height), 1))
    columns = slice(min(max(left, 0), width - 1), max(min(right, width), 1))
    inside = image[rows, columns]
    margins = (rows.start - top, bottom - rows.stop, columns.start - left, right - columns.stop)
    if any(margins):
        above, below, before, behind = (max(margin, 0) for margin in margins)
        inside = np.asarray(cv2.copyMakeBorder(inside, above, below, before, behind, cv2.BORDER_REPLICATE), np.uint8)
    scale = shrink_quickly if quick else resize
    return np.ascontiguousarray(scale(inside, width=size, height=size))


def cover(image: Image, *, width: int, height: int) -> Image:
    """Scale uint8 (H, W, 3) until it covers that size, and cut off evenly what is too much."""
    rows, columns = image.shape[:2]
    scale = max(width / columns, height / rows)
    used_width, used_height = min(columns, round(width / scale)), min(rows, round(height / scale))
    top, left = (rows - used_height) // 2, (columns - used_width) // 2
    return resize(image[top : top + used_height, left : left + used_width], width=width, height=height)


def stamp(image: Image, patch: Image, *, x: int, y: int) -> None:
    """Lay a patch over uint8 (H, W, 3) RGB, in place; what reaches beyond the right and lower edges is cut off.

    Args:
        image: is changed.
        patch: uint8 (h, w, 4) RGBA, not premultiplied.
        x: left edge, pixels.
        y: upper edge.
    """
    below = image[y : y + patch.shape[0], x : x + patch.shape[1]]
    above = patch[: below.shape[0], : below.shape[1]].astype(np.uint16)
    opacity = above[..., 3:]
    below[:] = (above[..., :3] * opacity + below * (255 - opacity) + 127) // 255


def side_by_side(pictures: Sequence[Image]) -> Image:
    """Pictures in one row, uint8 (H, sum of W, 3); square ones are made as high as the last."""
    height = pictures[-1].shape[0]
    fitting = [each if each.shape[0] == height else resize(each, width=height, height=height) for each in pictures]
    return np.concatenate(fitting, axis=1)


def pad_to_even(image: Image) -> Image:
    """Repeat the last row and column where a side is odd; 4:2:0 video has no odd sizes."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.asarray(cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE), np.uint8)


def turn(image: Image, degrees: int) -> Image:
    """Turn uint8 (H, W, 3) anticlockwise by a multiple of 90 degrees."""
    return np.ascontiguousarray(np.rot90(image, degrees // 90 % 4))


def enlarge_planes(planes: Floats, *, width: int, height: int) -> Floats:
    """Scale float32 (C, h, w), such as soft masks, to (C, height, width), bilinear between pixel centres."""
    scaled = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in planes]
    return np.stack(scaled).astype(np.float32, copy=False)


def _is_readable(name: str) -> bool:
    """Whether this Pillow has the format; AVIF depends on how it was built."""
    from PIL import Image as Pillow

    Pillow.init()
    return name in Pillow.OPEN


def _check_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if min(size) < MIN_SIDE:
        raise AvatarError(f"{path} is {width}x{height} pixels, at least {MIN_SIDE}x{MIN_SIDE} are needed")
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 10**6
        raise AvatarError(f"{path} is {width}x{height} pixels, more than {limit} megapixels; make it smaller first")


def _decode(picture: PillowImage.Image) -> Image:
    from PIL import Image as Pillow
    from PIL import ImageOps

    upright = _to_srgb(ImageOps.exif_transpose(_to_eight_bits(picture)), picture.info.get("icc_profile"))
    if not upright.has_transparency_data:
        return np.array(upright.convert("RGB"))
    layer = upright.convert("RGBA")
    behind = Pillow.new("RGB", layer.size, (GREY, GREY, GREY))
    behind.paste(layer, mask=layer.getchannel("A"))
    return np.array(behind)


def _to_eight_bits(picture: PillowImage.Image) -> PillowImage.Image:
    """Grey pictures of 16 or 32 bits, or of floats, scaled to 8; Pillow's own conversion would clip them."""
    from PIL import Image as Pillow

    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.nan_to_num(np.asarray(picture, np.float32))
    # Floats are meant in [0, 1] or as they are; integers in [0, 65535].
    scale = (255 if values.max() <= 1 else 1) if picture.mode == "F" else 1 / 257
    small = Pillow.fromarray(np.clip(np.rint(values * np.float32(scale)), 0, 255).astype(np.uint8))
    exif = picture.getexif()
    if len(exif):
        small.info["exif"] = exif.tobytes()
    return small


def _to_srgb(picture: PillowImage.Image, profile: bytes | None) -> PillowImage.Image:
    """Colours as sRGB when the file says in which space they are (phones: Display P3; print: CMYK)."""
    if profile is None or picture.mode not in ("RGB", "CMYK"):
        return picture
    import io

    from PIL import ImageCms

    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, space, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        log.info("colour profile not used (%s)", error)
        return picture
    return picture if converted is None else converted
