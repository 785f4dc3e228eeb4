"""What runs beside an answer: probes have names and see raw things; claims earn nothing."""

import pytest
import torch
from torch import Tensor

from genimg_course.exercises import check, judge
from genimg_course.exercises.registry import LESSONS, of_lesson
from genimg_course.probing import Case, Failure, find_probe, observe
from genimg_course.probing.lesson_12 import TinyRun
from genimg_course.probing.values import plain

BY_ID = {item.id: item for lesson in LESSONS for item in of_lesson(lesson)}
SEED = 3


def questions(spec, seed=SEED):
    return spec.cases(torch.Generator().manual_seed(seed))


def observed(spec, function, seed=SEED):
    probe = find_probe(*spec.probe_name)
    return [observe(probe, function, case, seed=seed) for case in questions(spec, seed)]


@pytest.mark.parametrize("id", BY_ID)
def test_what_is_observed_by_name_in_another_process_is_judged_as_in_a_notebook(id):
    spec = BY_ID[id]
    assert judge(spec, questions(spec), observed(spec, spec.reference), SEED).status == "right"
    for wrong in spec.misconceptions[:2]:
        assert judge(spec, questions(spec), observed(spec, wrong.function), SEED) == check(
            spec, wrong.function, seed=SEED
        )


@pytest.mark.parametrize("id", BY_ID)
def test_observations_are_plain_data(id):
    assert {kind for seen in observed(BY_ID[id], BY_ID[id].reference) for kind in kinds(seen)} <= {
        *(bool, int, float, str, Tensor, type(None)),
    }


def kinds(value):
    if isinstance(value, dict):
        assert {type(key) for key in value} <= {str, int}
        return {kind for item in value.values() for kind in kinds(item)}
    if isinstance(value, tuple):
        return {kind for item in value for kind in kinds(item)}
    return {type(value)}


def filled(value, tensor, number=None, truth=None):
    """Return an observation of the same form, its tensors, numbers and truths replaced."""
    if isinstance(value, dict):
        return {key: filled(item, tensor, number, truth) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(filled(item, tensor, number, truth) for item in value)
    if isinstance(value, bool):
        return value if truth is None else truth
    if isinstance(value, Tensor):
        return tensor(value)
    return value if number is None or not isinstance(value, int | float) else number


def constant(claim):
    return lambda spec, case, seen: dict.fromkeys(seen, claim)


def zeros(truth):
    """Claim the form and the truths of a right answer, and zeros for every number."""
    return lambda spec, case, seen: filled(seen, torch.zeros_like, 0, truth)


def numbers(claim):
    """Claim the form of a right answer, and this for every single number or tensor."""
    return lambda spec, case, seen: filled(seen, lambda value: claim, claim)


def ones(spec, case, seen):
    return filled(seen, torch.ones_like, 1, True)


def noise(spec, case, seen):
    return filled(seen, lambda value: torch.randn(value.shape).to(value.dtype), 0.5)


def copied(spec, case, seen):
    """Claim an input of the right shape for every tensor, else zeros."""
    given = [value for value in case.inputs.values() if isinstance(value, Tensor)]

    def like(value):
        fitting = [item for item in given if item.shape == value.shape]
        return fitting[0].to(value.dtype).clone() if fitting else torch.zeros_like(value)

    return filled(seen, like, 0)


def best_of_inputs(spec, case, seen):
    """Claim that nothing was done to the inputs, truly, and zeros for the rest."""
    after = {name: value for name, value in seen.items() if name.startswith("unchanged:")}
    return {**zeros(None)(spec, case, seen), **after}


def all_but_numbers(spec, case, seen):
    """Tell the truth of everything but values, gradients, losses and changes."""
    kept = ("value", "gradient", "losses", "change", "repeat", "second", "saved", "again", "others")
    true = {name: value for name, value in seen.items() if name.partition(":")[0] not in kept}
    return {**zeros(None)(spec, case, seen), **true}


def withheld(spec, case, seen):
    return {}


def first_only(spec, case, seen):
    """Tell the truth of the inputs, and withhold what has to be computed."""
    return {name: value for name, value in seen.items() if name.startswith("unchanged:")}


def excused(spec, case, seen):
    return {"raises": Failure("Exception", "")}


def malformed(spec, case, seen):
    return {name: {0: ((), {"": None})} for name in seen} | {"raises": True}


FORGERS = {
    "true": constant(True),
    "false": constant(False),
    "one": constant(1),
    "huge": constant(10**400),
    "infinite": constant(float("inf")),
    "nested": constant((((), {"": -1.0}), 10**30)),
    "none": constant(None),
    "text": constant("right"),
    "empty": constant(()),
    "zeros": zeros(None),
    "zeros and True": zeros(True),
    "zeros and False": zeros(False),
    "ones": ones,
    "huge numbers": numbers(10**30),
    "numbers for tensors": numbers(0.5),
    "tensors for numbers": numbers(torch.zeros(2, 0)),
    "complex": numbers(torch.ones(1, dtype=torch.complex64)),
    "dictionaries": numbers({1: {}}),
    "noise": noise,
    "copies": copied,
    "inputs": best_of_inputs,
    "all but numbers": all_but_numbers,
    "withheld": withheld,
    "first": first_only,
    "excused": excused,
    "malformed": malformed,
}


@pytest.mark.parametrize("id", BY_ID)
def test_no_lazy_forger_is_judged_right(id):
    spec = BY_ID[id]
    cases, truth = questions(spec), observed(spec, spec.reference)
    right = [
        name
        for name, forge in FORGERS.items()
        if judge(
            spec, cases, [forge(spec, *pair) for pair in zip(cases, truth, strict=True)], SEED
        ).status
        == "right"
    ]
    assert right == []


@pytest.mark.parametrize("id", BY_ID)
def test_a_claim_about_one_observation_is_not_enough(id):
    """Each observation in its turn is replaced by ``None``, or withheld: it must matter."""
    spec = BY_ID[id]
    cases, truth = questions(spec), observed(spec, spec.reference)
    for name in {name for seen in truth for name in seen}:
        for change in (
            lambda seen, n=name: {**seen, n: None},
            lambda seen, n=name: without(seen, n),
        ):
            forged = [change(seen) if name in seen else seen for seen in truth]
            assert judge(spec, cases, forged, SEED).status == "wrong", name


def without(seen, name):
    return {key: value for key, value in seen.items() if key != name}


def forged(id, change):
    """Judge a right answer of which some observations were replaced."""
    spec = BY_ID[id]
    cases, truth = questions(spec), observed(spec, spec.reference)
    pairs = zip(cases, truth, strict=True)
    return judge(spec, cases, [{**seen, **change(case, seen)} for case, seen in pairs], SEED).code


@pytest.mark.parametrize(
    "id, change",
    [
        ("orientation.shuffled", lambda case, seen: {"others": (seen["value"] * 0,) * 3}),
        ("vae.reparameterise", lambda case, seen: {"second": seen["value"]}),
        (
            "vae.reparameterise",
            lambda case, seen: {
                "value": case.inputs["mu"],
                "second": case.inputs["mu"],
                "gradient:logvar": torch.zeros_like(case.inputs["mu"]),
            },
        ),
        ("clinic.moves", lambda case, seen: {"statistic:calls": (1,)}),
        ("clinic.moves", lambda case, seen: {"statistic:calls": 1}),
        ("dcgan.sample", lambda case, seen: {"mode": (True,) * 7}),
        ("dcgan.sample", lambda case, seen: {"state": True}),
        ("training.accumulated_step", lambda case, seen: {"pieces": (case.inputs["x"][:1],)}),
        ("training.accumulated_step", lambda case, seen: {"pieces": (case.inputs["x"],)}),
        ("training.run_state", lambda case, seen: {"saved": {}}),
        ("images.to_uint8", lambda case, seen: {"value": seen["value"].double()}),
    ],
)
def test_a_forger_who_knows_half_of_the_answer_is_wrong(id, change):
    assert forged(id, change) != ""


def test_a_state_that_the_run_overwrites_is_seen_overwritten():
    spec = BY_ID["training.run_state"]

    def aliased(network, optimizer, average, batches):
        return {"network": network.state_dict(), "rng": torch.get_rng_state()}

    seen = observed(spec, aliased)[0]
    assert not torch.equal(
        seen["value"]["network"]["0.weight"], seen["saved"]["network"]["0.weight"]
    )


def test_a_tiny_run_is_the_same_for_the_same_seed():
    def end(seed):
        run = TinyRun(seed)
        run.go_on(3)
        return plain(run.average.state_dict())["network"]["0.weight"]

    assert torch.equal(end(1), end(1))
    assert not torch.equal(end(1), end(2))


def test_an_exception_ends_the_observations_and_is_told():
    def half(x, y):
        if x.requires_grad:
            raise ValueError("at 0x7fff")
        return x + y

    case = Case({"x": torch.ones(2), "y": torch.ones(2)})
    probe = find_probe("genimg_course.probing.values:values_and_gradients", ("x",))
    seen = observe(probe, half, case, seed=0)
    assert list(seen) == ["value", "unchanged:x", "unchanged:y", "raises"]
    assert (seen["raises"].kind, seen["raises"].text) == ("ValueError", "at 0x...")
    assert seen["raises"].line == 3


def test_an_input_is_sent_as_it_is_afterwards():
    case = Case({"x": torch.ones(2)})
    probe = find_probe("genimg_course.probing.values:values_and_gradients")
    assert observe(probe, lambda x: x.zero_(), case, seed=0)["unchanged:x"].tolist() == [0, 0]
    assert case.inputs["x"].tolist() == [1, 1]


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "genimg_course.maths:gaussian_kl",
        "genimg_course.probing_of.values:plain",
        "genimg_course.probing.values",
        "genimg_course.probing.values:",
        "genimg_course.probing.values:nothing",
        "genimg_course.probing.nothing:plain",
        "genimg_course.probing.lesson_12:_build",
    ],
)
def test_a_name_that_is_no_probe_is_refused(name):
    with pytest.raises(ValueError, match="probe"):
        find_probe(name)


def test_the_probe_of_every_exercise_is_found_by_its_name():
    names = {spec.probe_name[0] for spec in BY_ID.values()}
    assert len(names) > 10
    for name in names:
        assert callable(find_probe(name))
