"""The start page's sample: its plain network against PyTorch, and the page in a browser."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from book_modules import run_modules
from book_site import frame_time, visits
from lessons import ROOT
from torch import Tensor
from torch.nn.functional import conv_transpose2d

from genimg_course.metrics import load_judge
from genimg_course.models.certified import certified

sys.path.insert(0, str(ROOT / "book"))

from book_plain import plain_layers, write_plain

pytestmark = pytest.mark.timeout(300)

MODULES = ROOT / "book" / "_assets" / "live"
NOISE = torch.randn(20, 32, generator=torch.Generator().manual_seed(1))
DIGITS = torch.arange(20) % 10


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plain") / "cgan.json"
    write_plain(certified("cgan"), path)
    return path


@torch.no_grad()
def drawn_from_layers(z: Tensor, y: Tensor) -> Tensor:
    """Draw with PyTorch, from the very numbers that the page gets."""
    network = certified("cgan")
    vectors = network.class_vectors.weight.half().float()
    x = torch.cat([z, vectors[y]], dim=1)[:, :, None, None]
    layers = plain_layers(network)
    for layer in layers:
        weight, bias = layer.weight.float().movedim(-1, 1), layer.bias.float()
        x = conv_transpose2d(x, weight, stride=layer.stride, padding=layer.margin)
        x = x + (bias[:, None, None] if bias.ndim == 1 else bias.movedim(-1, 0))
        x = x.tanh() if layer is layers[-1] else x.relu()
    return x


# ---- the network as plain numbers ----


def test_half_precision_moves_no_pixel_by_a_grey_level():
    with torch.no_grad():
        wanted = certified("cgan")(NOISE, DIGITS)
    torch.testing.assert_close(drawn_from_layers(NOISE, DIGITS), wanted, atol=1 / 255, rtol=0)


def test_javascript_computes_what_pytorch_computes_with_the_same_numbers(written):
    body = """
        const made = generator.unpackGenerator(case_.said);
        return case_.noise.map((z, k) => [...generator.generate(made, z, case_.digits[k])]);
    """
    said = json.loads(written.read_text())
    case = {"said": said, "noise": NOISE.tolist(), "digits": DIGITS.tolist()}
    found = torch.tensor(run_modules(MODULES, ["generator"], body, case)).view(-1, 1, 16, 16)
    torch.testing.assert_close(found, drawn_from_layers(NOISE, DIGITS), atol=1e-4, rtol=0)


def test_every_half_precision_number_is_read_as_it_is():
    found = run_modules(
        MODULES,
        ["generator"],
        "return case_.map((bits) => generator.fromHalf(bits));",
        [*range(65536)],
    )
    halves = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float64)
    finite = np.isfinite(halves)
    np.testing.assert_array_equal(np.array(found)[finite], halves[finite])


def test_file_is_small(written):
    assert written.stat().st_size <= 300_000


# ---- the page in a browser ----


@pytest.fixture
def start(browser: Any, live_host: str) -> Iterator[Callable[..., Any]]:
    """Open the start page; at the end nothing may have gone wrong or asked another host."""
    with visits(browser, live_host) as visit:

        def open_page(width: int = 1280, **options: Any) -> Any:
            page = visit("index.html", width, **options)
            page.wait_for_selector(".live-on")
            return page

        yield open_page


def key(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def wait_for(page: Any, words: str) -> None:
    page.wait_for_selector(f".live-spoken:has-text('{words}')")


def pixels(page: Any) -> np.ndarray:
    """Return the forty pictures on the canvas, row by row, ``(40, 16, 16)`` bytes."""
    script = """() => { const c = document.querySelector('.live-stage canvas');
        const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
        return [...data].filter((_, k) => k % 4 === 0); }"""
    sheet = np.array(page.evaluate(script), dtype=np.uint8).reshape(4, 16, 10, 16)
    return sheet.swapaxes(1, 2).reshape(40, 16, 16)


def read(pictures: np.ndarray) -> Tensor:
    """Return the digits that the course's judge reads."""
    x = torch.from_numpy(pictures).float()[:, None] / 127.5 - 1
    with torch.no_grad():
        return load_judge("glyphs", 16).network(x).argmax(dim=1)


def test_sample_begins_as_the_still_it_replaces(start):
    page = start()
    script = """() => { const still = document.querySelector('.live-still');
        const c = document.createElement('canvas'); [c.width, c.height] = [320, 128];
        c.getContext('2d').drawImage(still, 0, 0);
        const { data } = c.getContext('2d').getImageData(0, 0, 320, 128);
        return [...data].filter((_, k) => k % 4 === 0); }"""
    still = np.array(page.evaluate(script), dtype=np.uint8).reshape(128, 320)[::2, ::2]
    sheet = still.reshape(4, 16, 10, 16).swapaxes(1, 2).reshape(40, 16, 16)
    np.testing.assert_array_equal(pixels(page), sheet)
    label = page.locator(".live-stage canvas").get_attribute("aria-label")
    assert label == page.locator(".live-still").get_attribute("alt")


@pytest.mark.parametrize("digit", ["0", "7"])
def test_key_draws_forty_new_ones_of_its_digit(start, digit):
    page = start()
    key(page, digit).click()
    wait_for(page, "Forty new ")
    first = pixels(page)
    assert (read(first) == int(digit)).sum() >= 38  # the judge reads 99.9 % right
    assert len(np.unique(first, axis=0)) == 40
    assert key(page, digit).get_attribute("aria-pressed") == "true"
    assert key(page, "All ten").get_attribute("aria-pressed") == "false"
    key(page, "Draw new ones").click()
    page.wait_for_timeout(1000)
    again = pixels(page)
    assert (read(again) == int(digit)).sum() >= 38
    assert not (again == first).all(axis=(1, 2)).any()


def test_all_ten_stand_above_their_keys(start):
    page = start()
    key(page, "3").click()
    wait_for(page, "Forty new threes")
    key(page, "All ten").click()
    wait_for(page, "Four new drawings of each digit")
    assert (read(pixels(page)) == torch.arange(40) % 10).sum() >= 38
    sheet = page.locator(".live-stage canvas").bounding_box()
    for digit in range(10):
        box = key(page, f"{digit}").bounding_box()
        middle = sheet["x"] + sheet["width"] * (digit + 0.5) / 10
        assert box["x"] < middle < box["x"] + box["width"]


def test_keyboard_alone_is_enough(start):
    page = start()
    key(page, "4").focus()
    page.keyboard.press("Enter")
    wait_for(page, "Forty new fours")
    page.keyboard.press("9")
    wait_for(page, "Forty new nines")
    assert key(page, "9").evaluate("e => e === document.activeElement")


def test_digits_typed_elsewhere_draw_nothing(start):
    page = start()
    before = pixels(page)
    page.keyboard.press("5")
    page.wait_for_timeout(300)
    np.testing.assert_array_equal(pixels(page), before)


def test_finger_on_a_phone_draws(start):
    page = start(width=375, has_touch=True)
    key(page, "2").tap()
    wait_for(page, "Forty new twos")
    assert (
        min(
            box["width"]
            for box in (k.bounding_box() for k in page.locator(".live-digits button").all())
        )
        >= 24
    )


def test_last_of_two_quick_presses_wins(start):
    page = start()
    page.evaluate("""() => {
        const keys = document.querySelectorAll('.live-digits button');
        keys[1].click();
        requestAnimationFrame(() => keys[8].click());
    }""")
    wait_for(page, "Forty new eights")
    page.wait_for_timeout(500)
    assert (read(pixels(page)) == 8).sum() >= 38


@pytest.mark.parametrize(
    ("motion", "steps"), [("reduce", {2}), ("no-preference", set(range(3, 50)))]
)
def test_pictures_come_one_by_one_or_at_once_where_motion_is_not_wanted(start, motion, steps):
    page = start(reduced_motion=motion)
    page.evaluate("""() => {
        const canvas = document.querySelector('.live-stage canvas');
        window.looks = new Set();
        const look = () => { window.looks.add(canvas.toDataURL()); requestAnimationFrame(look); };
        look();
    }""")
    key(page, "6").click()
    wait_for(page, "Forty new sixes")
    page.wait_for_timeout(100)
    assert page.evaluate("window.looks.size") in steps


def test_frame_takes_less_than_sixteen_milliseconds(start):
    page = start()
    for digit in "135":
        key(page, digit).click()
        page.wait_for_timeout(800)
    said = re.search(r"in (\d+) milliseconds", page.inner_text(".live-spoken"))
    assert said
    print(f"forty took {said[1]} ms")
    assert frame_time(page) < 16


def test_start_page_loads_no_runtime_and_little_else(browser, live_host):
    page = browser.new_page()
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{live_host}/index.html", wait_until="networkidle")
    key(page, "7").click()
    wait_for(page, "Forty new sevens")
    weights = {answer.url: len(answer.body()) for answer in answers if answer.ok}
    page.close()
    assert not [url for url in weights if "onnx" in url]
    total = sum(weight for url, weight in weights.items() if "/vendor/mathjax/" not in url)
    print(f"{total} bytes")
    assert total <= 1_500_000


@pytest.mark.parametrize("width", [1280, 375])
def test_text_below_stays_where_it_is_when_the_keys_come(browser, live_host, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.route("**/cgan.json", lambda route: page.wait_for_timeout(700) or route.continue_())
    page.goto(f"{live_host}/index.html", wait_until="domcontentloaded")
    below = page.locator(".live + * + p, .live ~ p").first
    page.wait_for_function("document.querySelector('.live-still').complete")
    before = below.bounding_box()["y"]
    page.wait_for_selector(".live-on")
    assert abs(below.bounding_box()["y"] - before) <= 16
    page.close()


def test_page_without_its_numbers_keeps_the_still_and_says_so(browser, live_host):
    page = browser.new_page()
    page.route("**/cgan.json", lambda route: route.abort())
    page.goto(f"{live_host}/index.html")
    page.wait_for_selector(".live-notice:has-text('Nothing moves here')")
    assert page.locator(".live-still").is_visible()
    page.close()
