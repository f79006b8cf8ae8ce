"""Reading, cropping and scaling pictures."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms

from puppet import images
from puppet.errors import AvatarError
from puppet.framing import Square
from tests.media import flat, quarters

if TYPE_CHECKING:
    from pathlib import Path


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims to be this large."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    empty = b"IDAT" + zlib.compress(b"")
    chunks = (struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (body, empty))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "ppm", "webp"])
def test_lossless_formats_are_read_exactly_whatever_the_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "picture.txt"
    Pillow.fromarray(quarters()).save(path, format=suffix, lossless=True)

    np.testing.assert_array_equal(images.read_picture(path), quarters())


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (12_000, 8_000), (200_000, 1_000)])
def test_too_large_picture_is_refused_from_its_header(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png_header(width, height))

    with pytest.raises(AvatarError, match=r"more than 80 megapixels; make it smaller"):
        images.read_picture(path)


@pytest.mark.parametrize("side", [1, 15])
def test_too_small_picture_is_refused(tmp_path: Path, side: int) -> None:
    path = tmp_path / "small.png"
    images.write_picture(path, flat(1, 2, 3, width=side, height=side))

    with pytest.raises(AvatarError, match=rf"{side}x{side} pixels, at least 16x16"):
        images.read_picture(path)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(AvatarError, match="there is no picture at"):
            images.read_picture(path)


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)

    with pytest.raises(AvatarError, match="is not a picture that can be read"):
        images.read_picture(path)


@pytest.mark.parametrize("suffix", ["png", "jpeg", "webp", "gif", "tiff"])
def test_cut_off_picture_is_refused(tmp_path: Path, suffix: str, rng: np.random.Generator) -> None:
    encoded = io.BytesIO()
    Pillow.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(encoded, format=suffix)
    path = tmp_path / "cut"
    path.write_bytes(encoded.getvalue()[: len(encoded.getvalue()) // 2])

    with pytest.raises(AvatarError, match=r"cannot be decoded|is not a picture"):
        images.read_picture(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    # How the picture is stored under each orientation (Exif 2.3, tag 0x0112).
    stored = {
        1: lambda p: p, 2: lambda p: p[:, ::-1], 3: lambda p: p[::-1, ::-1], 4: lambda p: p[::-1],
        5: lambda p: p.swapaxes(0, 1), 6: lambda p: np.rot90(p), 7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
        8: lambda p: np.rot90(p, -1),
    }  # fmt: skip
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Pillow.fromarray(np.ascontiguousarray(stored[orientation](quarters()))).save(path, exif=exif)

    np.testing.assert_array_equal(images.read_picture(path), quarters())


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_transparent_pixels_show_neutral_grey(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "clear.png"
    layer = Pillow.new("RGBA", (32, 32), (255, 255, 255, 0))
    layer.paste((40, 40, 40, 255), (0, 0, 32, 16))
    if mode == "P":
        layer.convert("RGB").quantize(2).save(path, transparency=layer.convert("RGB").quantize(2).getpixel((0, 31)))
    elif mode == "RGB":
        layer.convert("RGB").save(path, transparency=(255, 255, 255))
    else:
        layer.convert(mode).save(path)

    picture = images.read_picture(path)

    assert picture[0, 0].tolist() == [40, 40, 40]
    assert picture[31, 31].tolist() == [images.GREY] * 3


def test_half_transparent_pixel_is_half_grey(tmp_path: Path) -> None:
    path = tmp_path / "half.png"
    Pillow.new("RGBA", (16, 16), (255, 0, 128, 128)).save(path)

    np.testing.assert_allclose(images.read_picture(path)[0, 0], [192, 64, 128], atol=1)


def test_cmyk_picture_has_its_colours(tmp_path: Path) -> None:
    path = tmp_path / "print.jpg"
    Pillow.fromarray(flat(200, 60, 30)).convert("CMYK").save(path, quality=98)

    np.testing.assert_allclose(images.read_picture(path)[8, 8], [200, 60, 30], atol=4)


def test_sixteen_bit_grey_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Pillow.fromarray(ramp).save(path)

    picture = images.read_picture(path)

    np.testing.assert_allclose(picture[..., 0], ramp / 257, atol=0.51)


def test_floating_point_grey_is_scaled(tmp_path: Path) -> None:
    path = tmp_path / "float.tiff"
    Pillow.fromarray(np.full((16, 16), 0.5, np.float32)).save(path)

    assert images.read_picture(path)[0, 0].tolist() == [128, 128, 128]


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_animated_picture_gives_its_first_frame(tmp_path: Path, suffix: str) -> None:
    first, second = (Pillow.fromarray(flat(*colour)) for colour in ((200, 0, 0), (0, 0, 200)))
    path = tmp_path / f"moving.{suffix}"
    first.save(path, save_all=True, append_images=[second], lossless=True)

    np.testing.assert_allclose(images.read_picture(path)[5, 5], [200, 0, 0], atol=1)


def test_embedded_profile_is_converted_to_srgb(tmp_path: Path) -> None:
    path = tmp_path / "profile.png"
    plain = Pillow.fromarray(flat(180, 90, 45))
    plain.save(path, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())

    np.testing.assert_allclose(images.read_picture(path)[0, 0], [180, 90, 45], atol=1)


def test_broken_profile_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "profile.png"
    Pillow.fromarray(flat(180, 90, 45)).save(path, icc_profile=b"no profile")

    assert images.read_picture(path)[0, 0].tolist() == [180, 90, 45]


def test_written_picture_is_read_back(tmp_path: Path, rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)

    images.write_picture(tmp_path / "a.png", picture)

    np.testing.assert_array_equal(images.read_picture(tmp_path / "a.png"), picture)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@given(x=st.integers(-40, 60), y=st.integers(-40, 60), side=st.integers(1, 60))
def test_crop_repeats_the_edges_outside(x: int, y: int, side: int) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (30, 40, 3), dtype=np.uint8)

    cut = images.crop(picture, Square(x, y, side), size=side)

    rows, columns = np.clip(np.arange(y, y + side), 0, 29), np.clip(np.arange(x, x + side), 0, 39)
    np.testing.assert_array_equal(cut, picture[rows][:, columns])


def test_shrinking_averages_instead_of_skipping() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200

    np.testing.assert_array_equal(images.resize(stripes, width=16, height=16), 100)


def test_fit_keeps_the_proportions_and_never_enlarges() -> None:
    assert images.fit(flat(0, 0, 0, width=400, height=100), longest=200).shape == (50, 200, 3)
    assert images.fit(flat(0, 0, 0, width=40, height=10), longest=200).shape == (10, 40, 3)


def test_padding_repeats_the_last_row_and_column(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)

    padded = images.pad_to_even(picture)

    np.testing.assert_array_equal(padded, picture[[0, 1, 2, 3, 4, 4]][:, [0, 1, 2, 3, 4, 5, 6, 6]])


def test_side_by_side_keeps_order_and_sizes() -> None:
    row = images.side_by_side([flat(1, 1, 1, width=4, height=8), flat(2, 2, 2, width=8, height=8)])

    assert row.shape == (8, 12, 3)
    assert row[0, [0, 3, 4, 11], 0].tolist() == [1, 1, 2, 2]


def test_shrinking_quickly_differs_little_from_shrinking_well(rng):
    rough = rng.integers(0, 255, (24, 24, 3), np.uint8)
    picture = images.resize(rough, width=720, height=720)

    for side in (256, 300, 500, 720):
        well = images.resize(picture, width=side, height=side).astype(int)
        quickly = images.shrink_quickly(picture, width=side, height=side).astype(int)
        assert np.abs(well - quickly).mean() < 1
