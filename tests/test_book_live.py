"""The live pages: graphs against PyTorch, and each page at work in a browser."""

import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from book_site import SmallBook, first_picture, frame_time, visits
from lessons import ROOT
from scipy.stats import norm

from genimg_course.maths.interpolation import lerp, slerp

pytest.importorskip("jupyter_book", reason="jupyter-book is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")
sys.path.insert(0, str(ROOT / "book"))

import book_live
from book_graphs import GRAPHS, part

pytestmark = pytest.mark.timeout(600)

# pages that run a network of the course; the laboratory has tests of its own
PAGES = sorted(
    path.stem
    for path in (ROOT / "book" / "live").glob("*.md")
    if "<!-- runs: " in path.read_text(encoding="utf-8")
)
each_page = pytest.mark.parametrize("name", PAGES)
each_page_and_start = pytest.mark.parametrize("name", [*PAGES, "start"])


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    book_live.write_models(folder)
    return folder


def example(graph_name: str, count: int) -> list[torch.Tensor]:
    """Draw inputs for a graph: noise, and classes where it wants integers."""
    rng = torch.Generator().manual_seed(1)
    return [
        torch.arange(count) % 10
        if tensor.dtype == torch.int64
        else torch.randn(count, *tensor.shape[1:], generator=rng)
        for tensor in GRAPHS[graph_name].inputs.values()
    ]


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("name", GRAPHS)
def test_graph_computes_what_pytorch_computes(models, name, count):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    inputs = example(name, count)
    session = runtime.InferenceSession(models / f"{name}.onnx", providers=["CPUExecutionProvider"])
    names = GRAPHS[name].inputs
    found = session.run(None, {n: x.numpy() for n, x in zip(names, inputs, strict=True)})
    wanted = part(GRAPHS[name])(*inputs)
    for one, other in zip(found, wanted if isinstance(wanted, tuple) else [wanted], strict=True):
        torch.testing.assert_close(torch.from_numpy(one), other, atol=1e-4, rtol=0)


def test_graph_of_the_conditional_gan_is_its_own_forward():
    from genimg_course.models.certified import certified

    z, y = example("cgan", 10)
    torch.testing.assert_close(part(GRAPHS["cgan"])(z, y), certified("cgan")(z, y))


def test_graphs_are_small_and_keep_no_paths(models):
    for path in models.glob("*.onnx"):
        data = path.read_bytes()
        assert len(data) < 400_000
        assert str(ROOT).encode() not in data
        assert b"site-packages" not in data


def test_facts_give_the_digest_of_each_file(models):
    facts = json.loads((models / "facts.json").read_text())
    for name in GRAPHS:
        digest = hashlib.sha256((models / f"{name}.onnx").read_bytes())
        assert facts["files"][name]["sha256"] == digest.hexdigest()
        assert base64.b64decode(facts["files"][name]["integrity"][7:]) == digest.digest()


def test_examples_are_two_of_each_digit(models):
    examples = json.loads((models / "facts.json").read_text())["examples"]
    assert examples["digits"] == [*range(10)] * 2
    assert len(base64.b64decode(examples["pixels"])) == 20 * 16 * 16


@pytest.fixture(scope="session")
def live_site(live_book: SmallBook) -> Path:
    """Return the folder of the live pages, or skip where nothing can run them."""
    live_book.need("onnxruntime-web")
    return live_book.html


@pytest.fixture
def play(browser: Any, live_site: Path, live_host: str) -> Iterator[Callable[..., Any]]:
    """Open a live page and wait for its first picture; at the end nothing may have gone wrong."""
    with visits(browser, live_host) as visit:

        def open_page(name: str, width: int = 1280, **options: Any) -> Any:
            path = "index.html" if name == "start" else f"live/{name}.html"
            page = visit(path, width, **options)
            if options.get("java_script_enabled", True):
                page.wait_for_selector(".live-on", timeout=30_000)
            return page

        yield open_page


def shown(page: Any, which: int = 0) -> str:
    """Return what a canvas of the page shows."""
    script = "k => document.querySelectorAll('.live-stage canvas')[k].toDataURL()"
    return str(page.evaluate(script, which))


def settle(page: Any, change: Callable[[], Any], which: int = 0) -> bool:
    """Do something, and say whether a canvas of the page changes within two seconds."""
    before = shown(page, which)
    change()
    for _ in range(40):
        if shown(page, which) != before:
            return True
        page.wait_for_timeout(50)
    return False


@each_page_and_start
def test_first_picture_stands_within_two_seconds(play, name):
    page, ready = first_picture(lambda: play(name), within=2000)
    assert ready < 2000
    assert page.locator(".live-still").is_visible() is False
    assert len(shown(page)) > 100


@each_page
def test_frame_takes_less_than_sixteen_milliseconds(play, name):
    page = play(name)
    knob = page.locator(".live-stage input[type=range]").first
    knob.focus()
    for key in ["ArrowLeft", "ArrowRight"] * 15:  # one of them moves it wherever it stands
        page.keyboard.press(key)
        page.wait_for_timeout(30)
    assert frame_time(page) < 16


@each_page_and_start
def test_page_without_scripts_shows_its_still(play, name):
    page = play(name, java_script_enabled=False)
    still = page.locator(".live-still")
    assert still.is_visible()
    assert len(still.get_attribute("alt")) > 40
    assert page.locator(".live-stage").count() == 0


@each_page_and_start
def test_printed_page_shows_the_still(play, name):
    page = play(name)
    page.emulate_media(media="print")
    assert page.locator(".live-still").is_visible()
    assert not page.locator(".live-stage").is_visible()


@each_page_and_start
def test_live_page_fits_a_phone(play, name):
    page = play(name, width=375)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


@each_page_and_start
def test_every_knob_has_a_name(play, name):
    page = play(name)
    named = """() => [...document.querySelectorAll('.live :is(input, select, button, [role])')]
        .filter((e) => !(e.labels?.length || e.textContent.trim() || e.ariaLabel
            || e.role === 'status')).map((e) => e.outerHTML)"""
    assert page.evaluate(named) == []


@each_page
def test_page_says_what_runs_with_size_and_digest(live_site, name):
    text = (live_site / "live" / f"{name}.html").read_text("utf-8")
    facts = json.loads((live_site / "_static" / "live" / "models" / "facts.json").read_text())
    source = (ROOT / "book" / "live" / f"{name}.md").read_text("utf-8")
    for graph in re.search(r"<!-- runs: (.*?) -->", source)[1].split():
        assert facts["files"][graph]["sha256"] in text


def test_page_says_so_where_the_runtime_is_missing(browser, live_site, live_host):
    page = browser.new_page()
    page.route("**/ort.mjs", lambda route: route.abort())
    page.goto(f"{live_host}/live/{PAGES[0]}.html")
    page.wait_for_selector(".live-notice:has-text('Nothing moves here')")
    assert page.locator(".live-still").is_visible()
    page.close()


def test_altered_network_is_refused(browser, live_site, live_host):
    page = browser.new_page()
    page.route("**/vae_decoder.onnx", lambda route: route.fulfill(body=b"something else"))
    page.goto(f"{live_host}/live/latent_plane.html")
    page.wait_for_selector(".live-notice:has-text('Nothing moves here')")
    page.close()


@pytest.mark.parametrize("name", GRAPHS)
def test_browser_computes_what_pytorch_computes(play, name):
    page = play("latent_plane")
    inputs = example(name, 3)
    names = list(GRAPHS[name].inputs)
    script = """async ([name, rows, inputs]) => {
        const { load } = await import(new URL("../_static/live/networks.js", location));
        const { networks } = await load({ [name]: rows });
        const made = Object.fromEntries(Object.entries(inputs).map(([key, [whole, values]]) =>
            [key, whole ? BigInt64Array.from(values, BigInt) : Float32Array.from(values)]));
        const found = await networks[name](made);
        return Object.fromEntries(Object.entries(found).map(([key, v]) => [key, [...v]]));
    }"""
    rows = {n: list(x.shape[1:]) for n, x in zip(names, inputs, strict=True)}
    values = {
        n: [x.dtype == torch.int64, x.flatten().tolist()]
        for n, x in zip(names, inputs, strict=True)
    }
    found = page.evaluate(script, [name, rows, values])
    wanted = part(GRAPHS[name])(*inputs)
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    for key, value in zip(GRAPHS[name].outputs, wanted, strict=True):
        one = torch.tensor(found[key]).reshape(value.shape)
        torch.testing.assert_close(one, value, atol=1e-4, rtol=0)


def test_point_moves_by_keyboard_and_by_slider(play):
    page = play("latent_plane")
    page.locator(".live-handle").focus()
    assert settle(page, lambda: page.keyboard.press("ArrowUp"), 1)
    assert "up 0.10" in page.get_attribute(".live-handle", "aria-valuetext")
    slider = page.get_by_label("Across", exact=True)
    slider.focus()
    assert settle(page, lambda: page.keyboard.press("PageUp"), 1)
    page.wait_for_selector(".live-spoken:has-text('The judge reads a')")


def test_point_follows_mouse_and_finger(play):
    page = play("latent_plane")
    box = page.locator(".live-plane").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.wait_for_timeout(100)
    assert "across −3.00, up 3.00" in page.get_attribute(".live-handle", "aria-valuetext")
    assert settle(page, lambda: page.mouse.move(box["x"] + box["width"] - 10, box["y"] + 200), 1)
    page.mouse.up()
    phone = play("latent_plane", width=375, has_touch=True)
    box = phone.locator(".live-plane").bounding_box()
    assert settle(phone, lambda: phone.touchscreen.tap(box["x"] + 30, box["y"] + 60), 1)


def test_axes_stay_two_different_ones(play):
    page = play("latent_plane")
    across, up = page.get_by_label("Across goes"), page.get_by_label("Up goes")
    first, second = across.input_value(), up.input_value()
    assert settle(page, lambda: across.select_option(second))
    assert (across.input_value(), up.input_value()) == (second, first)


def test_latent_that_carries_nothing_changes_nothing(play):
    page = play("latent_plane")
    page.get_by_label("Across goes").select_option(index=15)
    page.wait_for_timeout(200)
    page.get_by_label("Across", exact=True).focus()
    script = """() => { const c = document.querySelectorAll('.live-stage canvas')[1];
        return [...c.getContext('2d').getImageData(0, 0, 16, 16).data]; }"""
    before = page.evaluate(script)
    page.keyboard.press("End")
    page.wait_for_timeout(300)
    apart = max(abs(a - b) for a, b in zip(before, page.evaluate(script), strict=True))
    assert apart < 64, apart


def imported(page: Any, module: str, call: str, *arguments: Any) -> Any:
    """Call a function of a live module in the browser; typed arrays come back as lists."""
    script = """async ([module, call, given]) => {
        const it = await import(new URL(`../_static/live/${module}.js`, location));
        const found = it[call](...given);
        return ArrayBuffer.isView(found) ? [...found] : found;
    }"""
    return page.evaluate(script, [module, call, list(arguments)])


def test_ways_in_the_browser_are_those_of_the_course(play):
    page = play("between_two_codes")
    a, b = torch.randn(2, 1, 16, generator=torch.Generator().manual_seed(2))
    for name, way in (("lerp", lerp), ("slerp", slerp)):
        for t in (0.0, 0.3, 1.0):
            found = imported(page, "maths", name, a[0].tolist(), b[0].tolist(), t)
            torch.testing.assert_close(torch.tensor(found), way(a, b, t)[0], atol=1e-5, rtol=0)
    same = imported(page, "maths", "slerp", a[0].tolist(), a[0].tolist(), 0.5)
    torch.testing.assert_close(torch.tensor(same), a[0])


def test_truncated_noise_keeps_its_rank_in_the_law_that_is_cut_off(play):
    page = play("ask_for_a_digit")
    z, limit = np.array([-2.5, -0.4, 0.0, 0.7, 3.0]), 1.2
    low = norm.cdf(-limit)
    wanted = norm.ppf(low + (1 - 2 * low) * norm.cdf(z))
    found = imported(page, "maths", "truncated", z.tolist(), limit)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_noise_of_the_browser_is_standard_normal(play):
    page = play("ask_for_a_digit")
    script = """async () => {
        const { gaussian } = await import(new URL("../_static/live/maths.js", location));
        return Array.from({ length: 20000 }, gaussian(1));
    }"""
    draws = np.array(page.evaluate(script))
    assert abs(draws.mean()) < 0.03
    assert abs(draws.std() - 1) < 0.02
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.03
    assert abs((np.abs(draws) < 1).mean() - 0.6827) < 0.015


def test_digit_that_is_asked_for_is_read_by_the_judge(play):
    page = play("ask_for_a_digit")
    for digit in "0369":
        page.get_by_role("button", name=digit, exact=True).click()
        said = f"ask for a {digit}. The judge reads a {digit}"
        page.wait_for_selector(f".live-spoken:has-text('{said}')")
    assert page.get_by_role("button", name="9", exact=True).get_attribute("aria-pressed") == "true"


def test_truncation_takes_variety_away(play):
    page = play("ask_for_a_digit")

    def spread() -> float:
        return float(re.search(r"by ([\d.]+) a pixel", page.inner_text(".live-number"))[1])

    before = spread()
    cut = page.get_by_label("Truncation", exact=True)
    cut.focus()
    assert settle(page, lambda: page.keyboard.press("Home"))
    page.wait_for_timeout(200)
    assert spread() < before / 2


def test_walk_goes_by_itself_and_stops(play):
    page = play("ask_for_a_digit")
    assert settle(page, lambda: page.get_by_role("button", name="Walk").click(), 1)
    page.get_by_role("button", name="Stand").click()
    page.wait_for_timeout(200)
    assert not settle(page, lambda: None, 1)


def test_straight_line_is_shorter_half_way(play):
    page = play("between_two_codes")

    def lengths() -> list[float]:
        texts = page.locator(".live-way output").all_inner_texts()
        return [float(text.split()[1]) for text in texts]

    page.get_by_role("button", name="Two codes by chance").click()
    page.wait_for_timeout(300)
    straight, great = lengths()
    assert straight < great - 0.3
    way = page.get_by_label("Way", exact=True)
    way.focus()
    assert settle(page, lambda: page.keyboard.press("End"), 1)
    page.wait_for_timeout(200)
    straight, great = lengths()
    assert straight == pytest.approx(great, abs=0.01)


def test_other_end_draws_other_ways(play):
    page = play("between_two_codes")
    assert settle(page, lambda: page.get_by_label("To", exact=True).select_option("14"))
    assert len(page.locator(".live-great").get_attribute("points").split()) == 41


def test_stroke_of_mouse_finger_and_keys_changes_what_is_rebuilt(play):
    page = play("draw_and_denoise", has_touch=True)
    page.get_by_role("button", name="Clear").click()
    page.wait_for_timeout(200)
    box = page.locator(".live-pad").bounding_box()

    def stroke() -> None:
        page.mouse.move(box["x"] + 60, box["y"] + 30)
        page.mouse.down()
        page.mouse.move(box["x"] + 60, box["y"] + 120, steps=5)
        page.mouse.up()

    assert settle(page, stroke, 2)
    tap = (box["x"] + 100, box["y"] + 100)
    assert settle(page, lambda: page.touchscreen.tap(*tap), 2)
    page.locator(".live-pad").focus()
    page.keyboard.press("Space")
    assert settle(page, lambda: page.keyboard.press("ArrowUp"), 2)
    page.wait_for_selector(".live-spoken:has-text('the judge reads')")
    page.keyboard.press("Space")
    page.wait_for_selector(".live-spoken:has-text('The pen is up')")


def test_noise_harms_what_is_seen_more_than_what_is_rebuilt(play):
    page = play("draw_and_denoise")

    def off() -> list[float]:
        texts = page.locator(".live-panel output").all_inner_texts()
        return [float(text.split()[-1]) for text in texts]

    seen, rebuilt = off()
    assert seen == 0 < rebuilt
    noise = page.get_by_label("Noise", exact=True)
    noise.focus()
    assert settle(page, lambda: page.keyboard.press("End"), 2)
    page.wait_for_timeout(200)
    seen, rebuilt = off()
    assert rebuilt < seen / 2


def test_drawing_becomes_coarse_by_averages(play):
    page = play("draw_and_denoise")
    script = """async () => {
        const { coarse } = await import(new URL("../_static/live/pad.js", location));
        const bytes = new Uint8ClampedArray(4 * 128 * 128);
        for (let y = 0; y < 8; y++) for (let x = 8; x < 12; x++) bytes[4 * (128 * y + x)] = 255;
        return [...coarse(bytes)];
    }"""
    values = page.evaluate(script)
    assert values[1] == pytest.approx(0)  # half of the second pixel is white
    assert values[0] == values[2] == values[16] == -1
    assert len(values) == 256
