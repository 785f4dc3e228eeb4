"""The live panel shows a run in two places, cheaply, and only where there is a notebook."""

import base64
import re
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
import torch

from genimg_course.viz import LivePanel, image_grid


class Clock:
    """A clock that only moves when it is told to."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shown(monkeypatch):
    """Pretend to be a notebook's kernel; record what is displayed as (what, id, data, metadata)."""
    calls = []

    def recorder(what):
        def show(data, *, raw, metadata, display_id):
            assert raw
            calls.append(SimpleNamespace(what=what, id=display_id, data=data, metadata=metadata))

        return show

    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr("IPython.display.display", recorder("display"))
    monkeypatch.setattr("IPython.display.update_display", recorder("update"))
    return calls


def grid():
    return image_grid(torch.zeros(1, 1, 4, 4))


def pictures(shown):
    return [call for call in shown if "image/png" in call.data]


def run(panel, clock, steps, seconds_a_step):
    for step in range(1, steps + 1):
        clock.now += seconds_a_step
        panel.update(step, {"loss": 1 / step})
    panel.finish(steps, {"loss": 1 / steps})


def test_a_run_ends_as_one_line(shown, clock):
    panel = LivePanel(1500, clock=clock)
    run(panel, clock, 1500, 62 / 1500)
    panel.finish(1500, {"loss": 7})  # again: nothing happens
    assert shown[-1].data["text/plain"] == "1500 steps in 62 s; loss 0.000667"
    assert "<progress" not in shown[-1].data["text/html"]
    assert all("<progress" in call.data["text/html"] for call in shown[:-1])


def test_losses_are_listed_as_a_reader_wants_them(shown, clock):
    panel = LivePanel(10, clock=clock)
    clock.now = 150
    losses = {
        "negative_elbo": torch.tensor(54.123),
        "kl": 16.2,
        "big": 12345.6,
        "bad": float("nan"),
    }
    panel.finish(6, losses)
    assert shown[-1].data["text/plain"] == (
        "6 of 10 steps in 2 min; negative_elbo 54.1, kl 16.2, big 12346, bad nan"
    )


def test_each_place_is_displayed_once_and_then_updated(shown, clock):
    run(LivePanel(100, preview=grid, clock=clock), clock, 100, 0.2)
    ids = {call.id for call in shown}
    assert len(ids) == 2
    for place in ids:
        whats = [call.what for call in shown if call.id == place]
        assert whats[0] == "display" and set(whats[1:]) == {"update"}
    assert "text/html" in shown[0].data  # the line stands above the picture
    another = LivePanel(1, clock=clock)
    assert shown[-1].id not in ids and another.live


def test_the_bar_follows_the_steps(shown, clock):
    panel = LivePanel(200, clock=clock)
    assert re.search(
        r'<progress value="0" max="200" aria-label="[^"]+"', shown[0].data["text/html"]
    )
    clock.now = 10
    panel.update(1, {})
    clock.now = 20
    panel.update(50, {"<b>": 1.0})
    assert '<progress value="50" max="200"' in shown[-1].data["text/html"]
    assert shown[-1].data["text/plain"] == "50 of 200 steps, 20 s, about 60 s left; <b> 1"
    assert "&lt;b&gt;" in shown[-1].data["text/html"]


def test_a_resumed_run_does_not_promise_too_much(shown, clock):
    panel = LivePanel(1000, clock=clock)
    for step in range(901, 951):
        clock.now += 0.2
        panel.update(step, {})
    panel.update(950, {})
    assert shown[-1].data["text/plain"].endswith("about 10 s left")


def test_the_line_moves_at_most_four_times_a_second(shown, clock):
    run(LivePanel(10_000, clock=clock), clock, 10_000, 0.001)
    assert 35 <= len(shown) <= 42  # ten seconds, the first line and the last


def test_tensors_are_only_read_when_the_line_is_written(shown, clock):
    class Costly:
        reads = 0

        def __float__(self):
            Costly.reads += 1
            return 1.0

    panel = LivePanel(1000, clock=clock)
    for step in range(1, 1001):
        clock.now += 0.001
        panel.update(step, {"loss": Costly()})
    assert 1 <= Costly.reads <= 5


def test_previews_come_every_few_seconds_and_at_the_end(shown, clock):
    run(LivePanel(100, preview=grid, preview_seconds=3, clock=clock), clock, 100, 0.1)
    assert len(pictures(shown)) == 4  # at 3, 6 and 9 s, and at the end
    last = pictures(shown)[-1]
    assert base64.b64decode(last.data["image/png"]).startswith(b"\x89PNG")
    assert last.data["text/plain"] == grid().alt == last.metadata["image/png"]["alt"]
    assert last.metadata["image/png"]["width"] > 0


def test_costly_previews_take_less_than_three_percent_of_a_long_run(shown, clock):
    spent = []

    def preview():
        clock.now += 0.5
        spent.append(0.5)
        return grid()

    run(LivePanel(6000, preview=preview, clock=clock), clock, 6000, 0.05)
    assert len(spent) > 5 and sum(spent) < 0.03 * clock.now


def test_previews_can_be_asked_for_at_steps(shown, clock):
    seen = []

    def preview():
        seen.append(clock.now)
        return grid()

    run(LivePanel(10, preview=preview, preview_steps={1, 5}, clock=clock), clock, 10, 1.0)
    assert seen == [1.0, 5.0, 10.0]


def test_a_preview_that_fails_costs_a_sentence_and_not_the_training(shown, clock):
    calls = []

    def preview():
        calls.append(1)
        raise RuntimeError("no such layer")

    run(LivePanel(100, preview=preview, clock=clock), clock, 100, 0.1)
    assert len(calls) == 1
    texts = [call.data["text/plain"] for call in shown]
    assert "No preview from step 30 on: RuntimeError: no such layer" in texts
    assert texts[-1].startswith("100 steps in 10 s")


def test_previews_of_pyplot_do_not_stay_open(shown, clock):
    plt.close("all")
    panel = LivePanel(12, preview=lambda: plt.subplots(figsize=(1, 1))[0], clock=clock)
    run(panel, clock, 12, 3.0)
    assert len(pictures(shown)) > 10 and plt.get_fignums() == []


@pytest.mark.parametrize("shell", [None, SimpleNamespace()])
def test_outside_a_notebook_nothing_is_shown_or_computed(monkeypatch, shown, clock, shell):
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    panel = LivePanel(50, preview=lambda: pytest.fail("computed"), clock=clock)
    run(panel, clock, 50, 1.0)
    assert shown == [] and not panel.live


def test_a_run_without_steps_is_refused():
    with pytest.raises(ValueError, match="steps is 0"):
        LivePanel(0)
