"""Fingers on the live pages: drawing and dragging hold the page, anything else lets it scroll."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from book_site import live_pages, visits

pytestmark = pytest.mark.timeout(300)

PAGES = sorted(path.replace(".md", ".html") for path in live_pages())
HELD = {"live/draw_and_denoise.html": ".live-pad", "live/latent_plane.html": ".live-plane"}
SLIDING = [page for page in PAGES if page != "index.html"]

Point = tuple[float, float]


@pytest.fixture
def phone(browser: Any, live_book: Any, live_host: str) -> Iterator[Callable[[str], Any]]:
    """Open a page on a phone; at the end nothing may have gone wrong."""
    live_book.need("onnxruntime-web")
    with visits(browser, live_host) as visit:

        def open_page(path: str) -> Any:
            page = visit(path, 375, has_touch=True, is_mobile=True)
            page.wait_for_selector(".live-on", timeout=30_000)
            return page

        yield open_page


def swipe(page: Any, start: Point, end: Point, *, steps: int = 10) -> None:
    """Move a finger over the screen, as the browser hears it from a touch screen."""
    screen = page.context.new_cdp_session(page)

    def touch(kind: str, *points: Point) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", start)
    for step in range(1, steps + 1):
        share = step / steps
        there = [a + share * (b - a) for a, b in zip(start, end, strict=True)]
        touch("touchMove", (there[0], there[1]))
        page.wait_for_timeout(16)
    touch("touchEnd")
    page.wait_for_timeout(300)
    screen.detach()


def middle(page: Any, selector: str) -> Point:
    """Bring an element to the middle of the screen, and return its own middle."""
    element = page.locator(selector).first
    element.evaluate("e => e.scrollIntoView({ block: 'center', behavior: 'instant' })")
    page.wait_for_timeout(100)
    box = element.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def height(page: Any) -> float:
    return float(page.evaluate("window.scrollY"))


def shown(page: Any) -> list[str]:
    script = "[...document.querySelectorAll('.live-stage canvas')].map((c) => c.toDataURL())"
    return list(page.evaluate(script))


@pytest.mark.parametrize("path", HELD)
def test_page_stands_still_while_a_finger_draws_or_drags(phone, path):
    page = phone(path)
    x, y = middle(page, HELD[path])
    before, seen = height(page), shown(page)
    swipe(page, (x - 40, y + 120), (x - 40, y - 120))
    assert height(page) == before
    assert shown(page)[-1] != seen[-1]


def test_stroke_of_a_finger_is_where_the_finger_went(phone):
    page = phone("live/draw_and_denoise.html")
    page.get_by_role("button", name="Clear").tap()
    x, y = middle(page, ".live-pad")
    width = page.locator(".live-pad").bounding_box()["width"]
    swipe(page, (x - width / 4, y - width / 4), (x - width / 4, y + width / 4), steps=20)
    script = """() => { const pad = document.querySelector('.live-pad');
        const at = (x, y) => pad.getContext('2d').getImageData(x, y, 1, 1).data[0];
        return [at(32, 40), at(32, 64), at(32, 90), at(96, 64), at(32, 120)]; }"""
    assert page.evaluate(script) == [255, 255, 255, 0, 0]


def test_second_finger_draws_no_line_to_the_first(phone):
    page = phone("live/draw_and_denoise.html")
    page.get_by_role("button", name="Clear").tap()
    x, y = middle(page, ".live-pad")
    screen = page.context.new_cdp_session(page)
    one, two = {"x": x - 80, "y": y, "id": 0}, {"x": x + 80, "y": y, "id": 1}
    for kind, points in (
        ("touchStart", [one]),
        ("touchStart", [one, two]),
        ("touchMove", [one | {"y": y + 4}, two | {"y": y + 4}]),
        ("touchEnd", []),
    ):
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_timeout(100)
    script = """() => { const pad = document.querySelector('.live-pad');
        return pad.getContext('2d').getImageData(64, 64, 1, 1).data[0]; }"""
    assert page.evaluate(script) == 0


@pytest.mark.parametrize("path", PAGES)
def test_page_scrolls_under_a_finger_on_its_text(phone, path):
    page = phone(path)
    x, y = middle(page, "article p:not(.live *)")
    before = height(page)
    swipe(page, (x, y), (x, y - 200))
    assert height(page) > before + 100


@pytest.mark.parametrize("path", sorted({*PAGES} - {*HELD}))
def test_page_scrolls_under_a_finger_on_a_picture_that_only_shows(phone, path):
    page = phone(path)
    x, y = middle(page, ".live-stage canvas")
    before, seen = height(page), shown(page)
    swipe(page, (x, y), (x, y - 200))
    assert height(page) > before + 100
    assert shown(page) == seen


@pytest.mark.parametrize("path", SLIDING)
def test_slider_follows_a_finger_across_and_lets_the_page_scroll(phone, path):
    page = phone(path)
    knob = ".live-stage input[type=range]"
    x, y = middle(page, knob)
    slider = page.locator(knob).first
    seen, before = slider.input_value(), height(page)
    swipe(page, (x - 40, y), (x + 30, y))
    assert slider.input_value() != seen
    assert height(page) == before
    swipe(page, (x, y), (x, y - 200))
    assert height(page) > before + 100
