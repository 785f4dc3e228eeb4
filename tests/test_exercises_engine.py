"""The engine of the exercises: verdicts, hints, the session, and what a check leaves behind."""

import io
import random
import sys
import warnings

import numpy as np
import pytest
import torch
from exercise_answers import noisy
from torch import Tensor

from genimg_course.exercises import (
    ExerciseError,
    Hints,
    Misconception,
    Specification,
    check,
    commands,
    exercise,
    hint,
    progress,
    registry,
)
from genimg_course.exercises.display import Message, Table, show
from genimg_course.exercises.inputs import normal
from genimg_course.exercises.readings import normal_law, normal_tolerances
from genimg_course.exercises.session import Session
from genimg_course.probing.case import Case
from genimg_course.probing.draws import normal_draws
from genimg_course.probing.steps import FixedNoise


def energy(x: Tensor, y: Tensor) -> Tensor:
    """Return half the squared distance, row by row."""
    return 0.5 * (x - y).square().sum(dim=1)


def toy_cases(rng: torch.Generator) -> list[Case]:
    def pair(
        *shape: int, scale: float = 1.0, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {name: normal(rng, *shape, scale=scale, dtype=dtype) for name in ("x", "y")}

    return [
        *(Case(pair(*shape)) for shape in ((1, 3), (4, 2), (3, 5))),
        Case(pair(2, 3, scale=1e3), name="large inputs"),
        Case(pair(2, 3, dtype=torch.float32), name="float32 inputs"),
    ]


def no_square(x: Tensor, y: Tensor) -> Tensor:
    return 0.5 * (x - y).abs().sum(dim=1)


EXAMPLE = "run it\n>>> energy(torch.full((1, 2), 3.0), torch.zeros(1, 2))\ntensor([9.])"

TOY = Specification(
    id="toy.energy",
    title="Half a squared distance",
    reference=energy,
    cases=toy_cases,
    hints=Hints("the value", "the sum", EXAMPLE, "why?", "1 and 3: 2"),
    misconceptions=(Misconception("ABSOLUTE", no_square, "Distances are <squared>."),),
    differentiate=("x", "y"),
)


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    """Offer the toy exercise, in a session of its own."""
    session = Session()
    monkeypatch.setattr(commands, "SESSION", session)
    monkeypatch.setattr(registry, "specifications", lambda: {TOY.id: TOY})
    monkeypatch.delenv("GENIMG_STRICT", raising=False)
    return session


def starter(x, y):
    """Return half the squared distance."""
    raise NotImplementedError("write me")


def only_docstring(x, y):
    """Return half the squared distance."""


def only_dots(x, y): ...


def only_pass(x, y):
    pass


@pytest.mark.parametrize("answer", [starter, only_docstring, only_dots, only_pass])
def test_a_starter_is_not_written_and_no_attempt(answer, toy, capsys):
    assert exercise("toy.energy")(answer) is energy
    assert toy.record("toy.energy").status == "not_written"
    assert toy.record("toy.energy").attempts == 0
    assert "nothing here yet" in capsys.readouterr().out


def in_place(x, y):
    x -= y
    return 0.5 * x.square().sum(dim=1)


def broken(x, y):
    difference = x - y
    return difference.sum(dim=9)


def second_time_differs(x, y):
    return energy(x, y) + (1.0 if x.requires_grad else 0.0)


def torch_lacks_it(x, y):
    return torch.ops.aten._fft_c2c(x.to_sparse(), [0], 0, True)


VERDICTS = [
    (
        lambda x, y: (_ for _ in ()).throw(ValueError("no < good")),
        "raises",
        "`ValueError: no < good`",
    ),
    (broken, "raises", "in line 3: `return difference.sum(dim=9)`"),
    (lambda x, y: sys.exit("bye"), "raises", "SystemExit"),
    (lambda x, y: x.to("cuda:99"), "raises", ""),
    (torch_lacks_it, "raises", "NotImplementedError"),
    (lambda x, y: print(x), "none", "`None`"),
    (lambda x, y: energy(x, y).detach().numpy(), "type", "`ndarray`; `Tensor`"),
    (lambda x, y: energy(x, y).tolist(), "number", ""),
    (lambda x, y: (energy(x, y), x), "number", "2 results"),
    (lambda x, y: energy(x, y).sum(), "shape", "one number for the whole batch"),
    (lambda x, y: energy(x, y)[:, None], "shape", "(4, 1) instead of (4,)"),
    (lambda x, y: energy(x.T, y.T), "shape", "(2,); (4,)"),
    (lambda x, y: energy(x, y).double(), "dtype", "float64 for inputs that call for float32"),
    (lambda x, y: energy(x, y) / 0, "finite", "infinity"),
    (lambda x, y: energy(x, y) * float("nan"), "finite", "NaN"),
    (in_place, "inplace", "`x` in place"),
    (lambda x, y: 2 * energy(x, y), "value", "all of it is 2 times too large"),
    (lambda x, y: energy(x, y) / 3, "value", "all of it is 3 times too small"),
    (lambda x, y: -energy(x, y), "value", "has the wrong sign"),
    (lambda x, y: -2 * energy(x, y), "value", "2 times too large and has the wrong sign"),
    (lambda x, y: energy(x, y) + 0.5, "value", "too large by 0.5"),
    (lambda x, y: energy(x, y) - 2, "value", "too small by 2"),
    (lambda x, y: 0.5 * (x - y).square().mean(dim=1), "value", "a mean where a sum is expected"),
    (lambda x, y: energy(x, y) * len(x), "value", "a sum where a mean is expected"),
    (lambda x, y: energy(x, y).clamp(max=1e3), "value", "Seen with large inputs only"),
    (lambda x, y: energy(x, y) + x[:, 0], "value", "look at the terms with `x`"),
    (lambda x, y: energy(x.detach(), y), "gradient_missing", "no gradient reaches `x`"),
    (lambda x, y: torch.tensor(energy(x, y).tolist(), dtype=x.dtype), "gradient_missing", "`x`"),
    (lambda x, y: torch.from_numpy(energy(x, y).numpy()), "gradient_missing", "`x`"),
    (lambda x, y: energy(x, y) + (y - y.detach()).sum(dim=1), "gradient", "respect to `y` is not"),
    (
        lambda x, y: energy(x, y) + 0 * (x - x.detach()).abs().sqrt().sum(dim=1),
        "gradient_finite",
        "`x` is NaN",
    ),
    (second_time_differs, "repeat", "A second call"),
    (no_square, "ABSOLUTE", "squared"),
    (lambda x, y: (x - y).abs().sum(1) / 2, "ABSOLUTE", "squared"),
]


@pytest.mark.parametrize("answer, code, words", VERDICTS, ids=[code for _, code, _ in VERDICTS])
def test_a_wrong_answer_gets_the_sentence_of_its_first_failing_property(answer, code, words):
    verdict = check(TOY, answer)
    assert (verdict.status, verdict.code) == ("wrong", code)
    assert words in verdict.sentence


def loop(x, y):
    return torch.stack(
        [
            0.5 * sum((a - b) ** 2 for a, b in zip(r, s, strict=True))
            for r, s in zip(x, y, strict=True)
        ]
    )


@pytest.mark.parametrize(
    "answer", [loop, noisy(energy), lambda x, y: 0.5 * torch.einsum("bi,bi->b", x - y, x - y)]
)
def test_a_right_answer_is_kept_itself(answer, toy, capsys):
    assert exercise("toy.energy")(answer) is answer
    assert toy.record("toy.energy").status == "right"
    assert (
        capsys.readouterr().out
        == "[toy.energy: right]\n  Your own function is used from here on.\n"
    )


def test_the_reference_stands_in_for_a_wrong_answer(capsys):
    assert exercise("toy.energy")(no_square) is energy
    said = capsys.readouterr().out
    assert "Distances are <squared>." in said
    assert 'hint("toy.energy")' in said


def test_strict_mode_turns_a_miss_into_an_error_with_the_same_sentence(monkeypatch):
    monkeypatch.setenv("GENIMG_STRICT", "1")
    with pytest.raises(ExerciseError, match=r"Distances are <squared>\."):
        exercise("toy.energy")(no_square)
    with pytest.raises(ExerciseError, match="nothing here yet"):
        exercise("toy.energy")(starter)
    assert exercise("toy.energy")(loop) is loop


def test_an_unknown_exercise_names_its_neighbours():
    with pytest.raises(ValueError, match=r"no exercise 'toy.enegry'. Did you mean toy.energy\?"):
        exercise("toy.enegry")
    with pytest.raises(ValueError, match=r"There are: toy\.energy"):
        hint("zzz")


def test_what_an_answer_prints_and_warns_stays_inside_the_check(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check(TOY, noisy(energy)).status == "right"
    assert capsys.readouterr() == ("", "")


def test_a_check_restores_the_random_states_it_uses():
    def dice(x, y):
        return energy(x, y) + 0 * (torch.randn(1) + random.random() + np.random.rand())

    def draw():
        return torch.randn(3).tolist(), random.random(), float(np.random.rand())

    for seed in (torch.manual_seed, random.seed, np.random.seed):
        seed(3)
    before = draw()
    for seed in (torch.manual_seed, random.seed, np.random.seed):
        seed(3)
    check(TOY, dice)
    assert draw() == before


def test_an_interrupt_passes_through_and_leaves_everything_in_place():
    def endless(x, y):
        raise KeyboardInterrupt

    state, out = torch.get_rng_state(), sys.stdout
    with pytest.raises(KeyboardInterrupt):
        exercise("toy.energy")(endless)
    assert torch.equal(torch.get_rng_state(), state)
    assert sys.stdout is out
    assert torch.is_grad_enabled()


def test_a_check_works_where_gradients_are_off():
    with torch.no_grad():
        assert check(TOY, energy).status == "right"
        assert check(TOY, lambda x, y: energy(x, y).detach()).code == "gradient_missing"


def test_verdicts_are_the_same_in_every_run():
    class Thing:
        pass

    def addressed(x, y):
        raise ValueError(f"{Thing()} is odd")

    said = {check(TOY, addressed).sentence for _ in range(3)}
    assert len(said) == 1
    assert "0x..." in said.pop()


def test_a_reference_that_fails_is_no_fault_of_the_reader():
    spec = Specification("toy.bad", "", lambda x, y: 1 / 0, toy_cases, TOY.hints)
    with pytest.raises(RuntimeError, match=r"toy.bad.*ZeroDivisionError"):
        check(spec, energy)


@pytest.mark.parametrize(
    "change, words",
    [({"id": "energy"}, "family.name"), ({"misconceptions": TOY.misconceptions * 2}, "ABSOLUTE")],
)
def test_a_specification_refuses_what_cannot_be_told_apart(change, words):
    fields = {"id": "a.b", "title": "", "reference": energy, "cases": toy_cases, "hints": TOY.hints}
    with pytest.raises(ValueError, match=words):
        Specification(**fields | change)


def test_hints_climb_one_step_a_call_and_the_solution_comes_last(toy, capsys):
    exercise("toy.energy")(no_square)
    capsys.readouterr()
    said = []
    for _ in range(7):
        hint("toy.energy")
        said.append(capsys.readouterr().out)
        assert toy.record("toy.energy").solution_shown == (len(said) >= 6)
    assert "Distances are <squared>." in said[0]
    assert [
        text for text in TOY.hints if text.split("\n")[0] not in said[TOY.hints.index(text)]
    ] == []
    assert "3.0), torch.zeros(1, 2))\n  tensor([9.])\n" in said[2]
    assert all("def energy" not in text for text in said[:5])
    assert "    return 0.5 * (x - y).square().sum(dim=1)" in said[5]
    assert said[6] == said[5]


def wrong_energy(x, y):
    print("sum")
    return (x - y).square().sum(dim=1)


def stopping_energy(x, y):
    return x @ y


@pytest.mark.parametrize(
    "answer, gives", [(wrong_energy, "sum\n  tensor([18.])"), (stopping_energy, "RuntimeError: ")]
)
def test_the_counter_example_runs_the_reader_s_own_answer(answer, gives, capsys):
    answer.__name__ = "energy"
    exercise("toy.energy")(answer)
    state, hook = torch.get_rng_state(), sys.displayhook
    for _ in range(3):
        capsys.readouterr()
        hint("toy.energy")
    assert f"in place of the reference, gives:\n  {gives}" in capsys.readouterr().out
    assert torch.equal(torch.get_rng_state(), state)
    assert sys.displayhook is hook


def test_the_counter_example_alone_is_shown_where_nothing_is_written(capsys):
    exercise("toy.energy")(starter)
    for _ in range(3):
        capsys.readouterr()
        hint("toy.energy")
    assert "gives" not in capsys.readouterr().out


def test_progress_tells_what_was_done_in_this_session(toy, capsys):
    progress()
    assert "No exercise was tried" in capsys.readouterr().out
    exercise("toy.energy")(no_square)
    hint("toy.energy")
    capsys.readouterr()
    progress()
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "toy.energy",
        "not",
        "yet",
        "right",
        "1",
        "1",
    ]
    for _ in range(5):
        hint("toy.energy")
    exercise("toy.energy")(energy)
    capsys.readouterr()
    progress()
    assert "solution shown  2" in capsys.readouterr().out


def test_a_solution_read_after_the_own_one_was_right_changes_no_status(toy):
    exercise("toy.energy")(energy)
    for _ in range(6):
        hint("toy.energy")
    assert toy.record("toy.energy").outcome == "right"


def test_progress_of_a_lesson_lists_all_its_exercises(capsys):
    progress(6)
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(registry.of_lesson("06"))
    with pytest.raises(ValueError, match="no exercises of lesson '99'"):
        progress(99)


def test_html_is_escaped_and_marks_code():
    page = Message(
        "wrong", "<b>", ["use `a < b`\n>>> f(<x>)", "</div><script>"], code="x < 1"
    ).html()
    assert "&lt;b&gt;" in page
    assert "<code>a &lt; b</code>" in page
    assert "<code>&gt;&gt;&gt; f(&lt;x&gt;)</code></pre>" in page
    assert "<script>" not in page
    assert "background" not in page
    assert "<td>&lt;i&gt;</td>" in Table(["a"], [["<i>"]]).html()


def test_a_notebook_gets_html_with_a_plain_alternative(monkeypatch):
    import IPython
    import IPython.display

    shown = []
    shell = type("Shell", (), {"kernel": None})()
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    message = Message("right", "toy", ["fine"])
    show(message)
    assert shown == [{"text/html": message.html(), "text/plain": "[toy]\n  fine"}]


def test_a_console_that_lacks_a_letter_shows_its_code(monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", console)
    show(Message("right", "toy", ["Fréchet"]))
    console.seek(0)
    assert "Fr\\xe9chet" in console.read()


DRAWS = [
    lambda m: torch.randn(2, 3),
    lambda m: torch.randn((2, 3), generator=torch.Generator().manual_seed(8)),
    lambda m: torch.randn_like(m),
    lambda m: torch.empty(2, 3).normal_(),
    lambda m: torch.nn.init.normal_(torch.empty(2, 3)),
    lambda m: torch.normal(0.0, 1.0, (2, 3)),
    lambda m: (torch.normal(m, 2.0) - m) / 2,
    lambda m: (torch.normal(m, torch.full_like(m, 2.0)) - m) / 2,
    lambda m: (torch.empty(2, 3).normal_(3.0, 2.0) - 3) / 2,
    lambda m: torch.distributions.Normal(0.0, 1.0).sample((2, 3)),
    lambda m: torch.distributions.Normal(torch.zeros(2, 3), 1.0).rsample(),
    lambda m: torch.randn(2, 3, dtype=torch.float64).float(),
]


@pytest.mark.parametrize("number", range(len(DRAWS)))
def test_fixed_noise_is_the_same_however_it_is_drawn(number):
    with FixedNoise(5):
        expected = torch.randn(2, 3)
        torch.randn(4)
        drawn = DRAWS[number](torch.ones(2, 3))
    torch.testing.assert_close(drawn, expected, rtol=1e-5, atol=1e-6)
    assert expected.std() > 0.1
    assert not torch.equal(torch.randn(2, 3), torch.randn(2, 3))


@pytest.mark.parametrize("number", range(3))
def test_fixed_noise_differs_between_seeds_shapes_and_rows(number):
    with FixedNoise(number):
        first, other = torch.randn(4, 3), torch.randn(5, 3)
    with FixedNoise(number + 1):
        second = torch.randn(4, 3)
    assert not torch.allclose(first, second)
    assert not torch.allclose(first[0], first[1])
    assert not torch.allclose(first[0], other[4])


def test_a_right_sampler_stays_inside_the_tolerances_for_many_seeds():
    size = 100_000
    case = Case(
        {
            "mu": torch.zeros(400, 250, dtype=torch.float64),
            "logvar": torch.zeros(400, 250, dtype=torch.float64),
        }
    )
    seen = []
    for seed in range(12):
        torch.manual_seed(seed)
        raw = dict(
            normal_draws(lambda mu, logvar: mu + (logvar / 2).exp() * torch.randn_like(mu), case)
        )
        seen.append(dict(normal_law(case, raw)))
    for name, (_, atol) in normal_tolerances(size).items():
        values = [float(item[name]) for item in seen]
        spread = max(values) - min(values)
        assert spread < 0.75 * atol
        assert spread > 0.03 * atol
