"""Digits against an independent renderer: Pillow, enlarged twelvefold, with a forward matrix."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from genimg_course.data.drawing import FONTS, INK_SIDE, draw
from genimg_course.data.glyphs import HELD_OUT_FONTS, RANGES, TRAINING_FONTS

UPRIGHT = {"rotation": 0.0, "slant": 0.0, "scale": 1.0, "shift_x": 0.0, "shift_y": 0.0}


def drawn(size: int, font: int, digit: int, **factors: float) -> np.ndarray:
    values = {name: np.array([value]) for name, value in {**UPRIGHT, **factors}.items()}
    return draw(size=size, font=np.array([font]), digit=np.array([digit]), **values)[0, 0]


def by_pillow(size: int, font: int, digit: int, **factors: float) -> np.ndarray:
    f, fine = {**UPRIGHT, **factors}, 12 * size
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{FONTS[font]}.ttf")
    sheet = Image.new("L", (1000, 1000))
    ImageDraw.Draw(sheet).text((200, 100), str(digit), 255, ImageFont.truetype(str(path), 600))
    ink = sheet.crop(sheet.getbbox())
    # digit's pixels -> sides of the picture, y down -> the picture's fine pixels
    to_middle = np.array([[1, 0, -ink.width / 2], [0, 1, -ink.height / 2], [0, 0, 1]])
    unit = np.diag([INK_SIDE / max(ink.size)] * 2 + [1])
    slant = np.array([[1, -f["slant"], 0], [0, 1, 0], [0, 0, 1]])
    angle = np.deg2rad(f["rotation"])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    scale = np.diag([f["scale"], f["scale"], 1])
    shift = np.array([[1, 0, f["shift_x"] + 0.5], [0, 1, f["shift_y"] + 0.5], [0, 0, 1]])
    forward = np.diag([fine, fine, 1]) @ shift @ scale @ turn @ slant @ unit @ to_middle
    coefficients = np.linalg.inv(forward)[:2].ravel().tolist()
    big = ink.transform(
        (fine, fine), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    return np.asarray(big.resize((size, size), Image.Resampling.BOX))


@pytest.mark.parametrize(
    "factors",
    [
        {},
        {"rotation": 12.0},
        {"slant": 0.15},
        {"scale": 0.85},
        {"shift_x": 0.06, "shift_y": -0.03},
        {"rotation": -9.0, "slant": -0.12, "scale": 1.08, "shift_x": -0.04, "shift_y": 0.05},
    ],
)
@pytest.mark.parametrize("size", [16, 28, 64])
def test_a_digit_equals_pillows_picture_of_it(size, factors):
    for font, digit in ((0, 2), (5, 7), (14, 4), (16, 9), (18, 1)):
        ours = drawn(size, font, digit, **factors).astype(float)
        theirs = by_pillow(size, font, digit, **factors).astype(float)
        assert np.abs(ours - theirs).mean() < 2.5, (FONTS[font], digit)
        assert np.abs(ours - theirs).max() < 60, (FONTS[font], digit)


def corners() -> dict[str, np.ndarray]:
    turns, slants = ([low, 0.0, high] for low, high in (RANGES["rotation"], RANGES["slant"]))
    ends = [turns, slants, [RANGES["scale"][1]], RANGES["shift_x"], RANGES["shift_y"]]
    grid = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, len(ends))
    return {name: grid[:, i] for i, name in enumerate(RANGES)}


@pytest.mark.parametrize("digit", range(10))
def test_no_ink_leaves_the_picture_even_at_the_ends_of_all_ranges(digit):
    factors = corners()
    n = len(factors["scale"])
    # the same digits with as much room again around them: half of everything in twice the pixels
    roomy = {**factors, **{name: factors[name] / 2 for name in ("scale", "shift_x", "shift_y")}}
    for font in range(len(FONTS)):
        kind = {"font": np.full(n, font), "digit": np.full(n, digit)}
        images = draw(size=48, **kind, **roomy)[:, 0]
        assert images[:, 12:-12, 12:-12].max() > 200
        images[:, 12:-12, 12:-12] = 0
        assert images.max() < 6, FONTS[font]


def normalised(fonts: tuple[str, ...], slants: np.ndarray) -> np.ndarray:
    """Return digits stretched to a common box, (fonts, slants, digits, 20, 20) in [0, 1]."""
    kinds = [(FONTS.index(f), s, d) for f in fonts for s in slants for d in range(10)]
    font, slant, digit = (np.array(column) for column in zip(*kinds, strict=True))
    still = {name: np.full(len(kinds), UPRIGHT[name]) for name in UPRIGHT if name != "slant"}
    pictures = map(
        Image.fromarray, draw(size=64, font=font, digit=digit, slant=slant, **still)[:, 0]
    )
    boxes = [picture.crop(picture.getbbox()) for picture in pictures]
    arrays = [np.asarray(box.resize((20, 20), Image.Resampling.BOX)) / 255 for box in boxes]
    return np.stack(arrays).reshape(len(fonts), len(slants), 10, 20, 20)


def distances(fonts: tuple[str, ...], others: tuple[str, ...]) -> np.ndarray:
    """Return one minus intersection over union, slant and proportions undone, (fonts, others)."""
    a = normalised(fonts, np.zeros(1))[:, None]
    b = normalised(others, np.linspace(-0.24, 0.24, 5))[None]
    overlap = np.minimum(a, b).sum(axis=(-1, -2)) / np.maximum(a, b).sum(axis=(-1, -2))
    return 1 - overlap.max(axis=2).mean(axis=-1)


def test_no_held_out_font_is_a_near_copy_of_a_training_font():
    assert distances(HELD_OUT_FONTS, TRAINING_FONTS).min() > 0.18
    # the same measure does recognise a copy: the oblique of DejaVu Sans
    assert distances(("DejaVuSans",), ("DejaVuSans-Oblique",)).item() < 0.16
