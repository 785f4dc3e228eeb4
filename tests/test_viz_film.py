"""A film shows every picture that it is given, once, and stays small."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from genimg_course import viz
from genimg_course.viz import film


def ramp(count=4, images=6, channels=1, size=8):
    """Return frames that go from black to white, each image a little behind the one before."""
    time = torch.linspace(0, 1, count)[:, None] - torch.linspace(0, 0.5, images)
    levels = (2 * time.clamp(0, 1) - 1)[:, :, None, None, None]
    return list(levels.expand(-1, -1, channels, size, size))


def opened(made):
    with Image.open(io.BytesIO(made.webp)) as picture:
        shown = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(picture)]
        return picture.info, shown


def test_every_frame_is_there_with_its_step_below():
    frames = ramp()
    made = film(frames, [0, 10, 100, 1000], columns=6)
    _, shown = opened(made)
    assert len(shown) == len(frames)
    grid = Image.open(io.BytesIO(viz.png_bytes(viz.image_grid(frames[2], columns=6)))).reduce(2)
    height = grid.height
    np.testing.assert_allclose(shown[2][:height, :, 0], np.asarray(grid), atol=5)
    below = [picture[height:] for picture in shown]
    assert len({picture.tobytes() for picture in below}) == len(frames)
    blue = [((p[..., 2] > 150) & (p[..., 0] < 60)).sum() for p in below]
    assert blue == sorted(blue) and blue[-1] > 20 * blue[0]


def test_black_and_white_stay_what_they_are():
    _, shown = opened(film(ramp(images=1), range(4), columns=1))
    rows, columns = shown[0].shape[0] // 3, shown[0].shape[1] // 4
    assert (shown[0][rows, columns] == 0).all() and (shown[-1][rows, columns] == 255).all()


def test_a_film_plays_once_and_ends_within_five_seconds():
    info, _ = opened(film(ramp(), range(4)))
    assert info["loop"] == 1
    picture = Image.open(io.BytesIO(film(ramp(count=9), range(9), seconds=5.0).webp))
    times = []
    for frame in ImageSequence.Iterator(picture):
        frame.load()
        times.append(frame.info["duration"])
    assert 4000 < sum(times) <= 5010 and len({*times}) == 1


def test_figures_make_a_film_too():
    points = [viz.point_panels({"fakes": torch.full((20, 2), k / 4)}) for k in range(5)]
    made = film(points, [0, 1, 4, 9, 16])
    _, shown = opened(made)
    assert len(shown) == 5 and not (shown[0] == shown[4]).all()
    assert made.alt == f"Film of a run, from step 0 to step 16. Its last picture: {points[-1].alt}"


def test_colours_keep_their_channels():
    frames = [torch.tensor([1.0, -1.0, -1.0])[None, :, None, None].expand(1, 3, 4, 4)] * 2
    _, shown = opened(film([frames[0], -frames[0]], [0, 1], columns=1))
    rows, columns = shown[0].shape[0] // 3, shown[0].shape[1] // 4
    assert shown[0][rows, columns].tolist() == [255, 0, 0]
    assert shown[1][rows, columns].tolist() == [0, 255, 255]


def test_a_page_gets_the_film_a_still_for_less_motion_and_a_button():
    made = film(ramp(), range(4), alt='from "black" to white')
    data, metadata = made._repr_mimebundle_()
    page = data["text/html"]
    assert set(data) == {"text/html", "image/png", "text/plain"}
    assert data["text/plain"] == metadata["image/png"]["alt"] == 'from "black" to white'
    assert 'alt="from &quot;black&quot; to white"' in page
    assert (
        base64.b64decode(re.search(r'src="data:image/webp;base64,([^"]*)"', page)[1]) == made.webp
    )
    still = re.search(r'media="([^"]*)" srcset="data:image/png;base64,([^"]*)"', page)
    assert "prefers-reduced-motion: reduce" in still[1] and "print" in still[1]
    assert base64.b64decode(still[2]) == base64.b64decode(data["image/png"]) == made.still
    assert '<button type="button"' in page and "http" not in page


def test_the_still_is_the_last_picture():
    made = film(ramp(), range(4))
    _, shown = opened(made)
    still = np.asarray(Image.open(io.BytesIO(made.still)).convert("RGB")).astype(int)
    assert still.shape == shown[-1].shape
    assert np.abs(still - shown[-1]).max() <= 8


def test_what_packs_badly_loses_a_little_rather_than_the_film():
    noise = [torch.rand(60, 1, 16, 16) * 2 - 1 for _ in range(6)]
    made = film(noise, range(6), columns=12)
    assert len(made.webp) <= 300_000
    assert len(opened(made)[1]) == 6


def noise(frames, images):
    return [torch.rand(images, 3, 16, 16) * 2 - 1 for _ in range(frames)]


def test_a_film_that_is_too_large_keeps_fewer_frames_with_the_first_and_the_last():
    frames = noise(16, images=60)
    made = film(frames, range(16))
    shown, ends = opened(made)[1], opened(film([frames[0], frames[-1]], [0, 15]))[1]
    assert len(made.webp) <= 300_000
    assert 2 <= len(shown) < 16
    for one, end in ((shown[0], ends[0]), (shown[-1], ends[-1])):
        assert np.abs(one[:-30].astype(float) - end[:-30]).mean() < 5


def test_a_film_that_no_page_should_carry_is_refused():
    with pytest.raises(ValueError, match=r"two pictures.*take \d+ KB.*more than 300.*fewer images"):
        film(noise(3, images=400), range(3))


@pytest.mark.parametrize(
    "frames, steps, options, said",
    [
        (ramp(1), [0], {}, "there are 1 frames; a film has 2 to 30"),
        (ramp(31), range(31), {}, "there are 31 frames"),
        (ramp(4), range(3), {}, "there are 4 frames, but 3 steps"),
        (ramp(3), [0, 5, 5], {}, r"must rise, but they are \[0, 5, 5\]"),
        (ramp(2), [0, 1], {"seconds": 5.5}, "seconds is 5.5"),
        (ramp(2), [0, 1], {"seconds": 0}, "seconds is 0"),
        ([*ramp(2), torch.zeros(30, 1, 8, 8)], range(3), {}, r"sizes \[.*a film needs one size"),
        ([torch.zeros(2, 1, 4, 4), torch.full((2, 1, 4, 4), 7.0)], [0, 1], {}, "from 7 to 7"),
        ([torch.zeros(2, 1, 4, 4, dtype=torch.uint8)] * 2, [0, 1], {}, "uint8.*to_model_range"),
    ],
)
def test_what_makes_no_film_is_refused_in_a_sentence(frames, steps, options, said):
    with pytest.raises(ValueError, match=said):
        film(frames, steps, **options)
