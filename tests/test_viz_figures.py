"""Charts show the numbers that they are given, on labelled axes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from genimg_course.viz import bars, curves, lines, png_bytes

HISTORY = {"step": [1, 2, 3], "kl": [9.0, 5.0, 4.0], "loss": [90.0, 60.0, 50.0]}
X = np.array([1.0, 2.0, 4.0])


def examples():
    return {
        "curves": curves(HISTORY, title="T"),
        "lines": lines(X, {"a": X}, xlabel="steps", ylabel="time / s", title="T"),
        "bars": bars({"a": 1, "b": 2}, xlabel="model", ylabel="PSNR / dB", title="T"),
    }


def drawn(figure, name):
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == name]
    return line


@pytest.mark.parametrize("name", ["curves", "lines", "bars"])
def test_axes_are_labelled_and_the_figure_describes_itself(name):
    figure = examples()[name]
    axes = figure.axes[0]
    assert axes.get_xlabel() and axes.get_ylabel() and axes.get_title(loc="left") == "T"
    assert figure.alt.startswith("T")
    assert png_bytes(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["curves", "lines", "bars"])
def test_all_that_is_drawn_lies_on_the_page(name):
    figure = examples()[name]
    figure.canvas.draw()
    x0, y0, x1, y1 = figure.get_tightbbox().extents
    assert x0 >= 0 and y0 >= 0 and x1 <= figure.get_figwidth() and y1 <= figure.get_figheight()


def test_curves_draw_the_record_in_the_order_asked_for():
    figure = curves(HISTORY, names=["loss", "kl"])
    assert [line.get_label() for line in figure.axes[0].lines] == ["loss", "kl"]
    np.testing.assert_array_equal(drawn(figure, "kl").get_xydata(), [[1, 9], [2, 5], [3, 4]])
    assert figure.alt == "nats against step (1 to 3). loss: from 90 to 50; kl: from 9 to 4."


def test_the_view_contains_all_values():
    figure = curves(HISTORY)
    (low, high), (left, right) = figure.axes[0].get_ylim(), figure.axes[0].get_xlim()
    assert low < 4 and high > 90 and left < 1 and right > 3


def test_smooth_curves_are_means_over_a_window_with_the_raw_record_behind():
    y = np.random.default_rng(0).normal(size=30)
    figure = curves({"step": range(30), "y": y}, smooth=5)
    smooth = drawn(figure, "y").get_ydata()
    expected = [y[max(0, i - 2) : i + 3].mean() for i in range(30)]
    np.testing.assert_allclose(smooth, expected, rtol=1e-9, atol=1e-12)
    assert any(np.array_equal(line.get_ydata(), y) for line in figure.axes[0].lines)
    assert "mean over 5 records" in figure.axes[0].get_xlabel()


def test_short_records_are_not_smoothed_and_long_ones_are():
    assert len(curves({"step": range(199), "y": range(199)}).axes[0].lines) == 1
    assert len(curves({"step": range(200), "y": range(200)}).axes[0].lines) == 2


def test_a_record_that_leaves_the_finite_numbers_shows_where():
    figure = curves({"step": [10, 20, 30], "loss": [1.0, float("nan"), float("inf")]})
    assert list(drawn(figure, "loss not finite").get_xdata()) == [20, 20]
    assert figure.alt.endswith("loss: from 1 to 1.")
    png_bytes(figure)


def test_curves_take_what_a_training_loop_records():
    history = {"step": [1, 2], "loss": [torch.tensor(2.0, requires_grad=True).detach(), 1]}
    np.testing.assert_array_equal(drawn(curves(history), "loss").get_ydata(), [2, 1])


def test_references_are_named_and_at_their_place():
    for figure in (
        curves(HISTORY, reference={"log 2": 0.69}),
        lines(X, {"a": X}, xlabel="x", ylabel="y", reference={"log 2": 0.69}),
        bars({"a": 1}, xlabel="x", ylabel="y", reference={"log 2": 0.69}),
    ):
        assert set(drawn(figure, "log 2").get_ydata()) == {0.69}
        assert "log 2" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_legend_hides_no_data():
    figure = curves(HISTORY)
    figure.canvas.draw()
    legend, axes = figure.legends[0].get_window_extent(), figure.axes[0].get_window_extent()
    assert legend.x0 > axes.x1 and legend.x1 <= figure.bbox.x1


def test_a_long_title_does_not_run_into_the_legend():
    title = "Where the variance is at most c the best weight is zero"
    series = {f"variance {k} times c": [k, 2 * k] for k in (1, 2, 4)}
    figure = lines([0, 1], series, xlabel="weight", ylabel="loss", title=title)
    figure.canvas.draw()
    (head,) = figure.findobj(lambda artist: getattr(artist, "get_text", str)() == title)
    assert figure.legends[0].get_window_extent().y1 < head.get_window_extent().y0


def test_lines_keep_the_range_that_has_a_meaning():
    for y in ([0.2, 0.3, 0.4], [0.0, 1.0, 0.5]):
        figure = lines(X, {"D": y}, xlabel="x", ylabel="probability", ylim=(0, 1), xlim=(0, 5))
        assert figure.axes[0].get_ylim() == (0, 1) and figure.axes[0].get_xlim() == (0, 5)


@pytest.mark.parametrize(("x", "whole"), [([0, 1, 2, 3], True), ([0.0, 0.5, 1.0, 1.5], False)])
def test_between_whole_numbers_there_is_no_tick(x, whole):
    figure = lines(x, {"a": [1.0, 2.0, 4.0, 3.0]}, xlabel="epoch", ylabel="y")
    ticks = figure.axes[0].get_xticks()
    assert all(float(tick).is_integer() for tick in ticks) == whole


def test_log_axes_write_plain_numbers():
    figure = lines([10, 100, 1000], {"a": X}, xlabel="x", ylabel="y", xscale="log")
    figure.canvas.draw()
    assert figure.axes[0].get_xscale() == "log"
    assert "100" in [label.get_text() for label in figure.axes[0].get_xticklabels()]


def test_bars_start_at_zero_and_say_their_numbers():
    figure = bars({"AE": 21.23, "PCA": -14}, xlabel="m", ylabel="dB", errors={"PCA": 2, "AE": 1})
    patches = figure.axes[0].patches
    assert [(p.get_y(), p.get_height()) for p in patches] == [(0, 21.23), (0, -14)]
    assert [t.get_text() for t in figure.axes[0].texts] == ["21.2", "-14"]
    assert figure.alt == "dB by m. AE: 21.2; PCA: -14."
    (spans,) = figure.axes[0].collections  # the error bars
    ends = [segment[:, 1].tolist() for segment in spans.get_segments()]
    assert ends == [pytest.approx([20.23, 22.23]), pytest.approx([-16, -12])]
    low, high = figure.axes[0].get_ylim()
    assert low < -16 and high > 22.23


def test_no_figure_stays_open():
    plt.close("all")
    for _ in range(20):
        bars({"a": 1}, xlabel="x", ylabel="y")
    examples()
    assert plt.get_fignums() == []


def test_wrong_numbers_are_refused_in_a_sentence():
    def line(x=X, series=None, **options):
        return lines(
            x, {"a": X} if series is None else series, **{"xlabel": "x", "ylabel": "y", **options}
        )

    def bar(values, **options):
        return bars(values, xlabel="x", ylabel="y", **options)

    cases = [
        (lambda: curves({"loss": [1]}), "no 'step'"),
        (lambda: curves({"step": [1]}), "no curves"),
        (lambda: curves(HISTORY, names=["elbo"]), r"no \['elbo'\].*'kl'"),
        (lambda: curves({"step": [1, 2], "a": [1]}), r"\{'a': 1\} values do not fit 2"),
        (lambda: curves({"step": [], "a": []}), "non-empty"),
        (lambda: curves(HISTORY, smooth=0), "smooth is 0"),
        (lambda: curves(HISTORY, ylim=(1, 0)), r"ylim is \(1, 0\)"),
        (lambda: curves(HISTORY, ylabel=" "), "ylabel is empty"),
        (lambda: line(series={}), "no series"),
        (lambda: line(series={"a": [1, 2]}), "do not fit 3"),
        (lambda: line(series={"a": [1, 2, float("nan")]}), "1 of 3 values that are NaN"),
        (lambda: line(series={"a": ["p", "q", "r"]}), "must be numbers"),
        (lambda: line(xscale="logit"), "xscale is 'logit'"),
        (lambda: line(series={"a": X - 1}, yscale="log"), "above 0"),
        (lambda: line(xlabel=""), "xlabel is empty"),
        (lambda: line(xlim=(0, 1, 2)), "low < high"),
        (lambda: bar({}), "non-empty"),
        (lambda: bar({"a": float("inf")}), "infinite"),
        (lambda: bar({"a": 1}, ylim=(0.5, 2)), "bars start at 0"),
        (lambda: bar({"a": 1}, errors={"b": 1}), r"errors are for \['b'\]"),
    ]
    for call, said in cases:
        with pytest.raises(ValueError, match=said):
            call()
