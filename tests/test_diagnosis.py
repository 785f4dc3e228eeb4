"""The checks of the exercises: slips are noticed, wrong answers named, hints hold back.

The short form of ``tests/diagnosis/run.py``, which judges all of it with 20 seeds.
"""

import ast
import hashlib
import inspect
import json
import textwrap
from pathlib import Path

import pytest
import torch
from diagnosis import corpus, pairs, spoilt
from diagnosis.run import ARGUED, sources
from diagnosis.slips import answer, fingerprint, first_verdict, slips
from torch import Tensor

from genimg_course.exercises import check
from genimg_course.exercises import sentences as s
from genimg_course.exercises.registry import specifications

HERE = Path(__file__).resolve().parent / "diagnosis"
BY_ID = specifications()
REPORT = json.loads((HERE / "report.json").read_text(encoding="utf-8"))
SAMPLE = list(BY_ID)[::6]
KNOWN = ARGUED["equal"].keys() | ARGUED["not_asked"].keys()


def _lot(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("id", BY_ID)
def test_a_slip_in_the_reference_is_noticed(id):
    found = [slip for slip in slips(BY_ID[id]) if f"{id} | {slip.name}" not in KNOWN]
    for slip in sorted(found, key=lambda slip: _lot(slip.name))[:2]:
        try:
            function = answer(BY_ID[id], slip)
        except Exception:
            continue  # the module cannot be loaded with this slip
        assert first_verdict(BY_ID[id], function).status == "wrong", slip.name


def test_what_is_not_noticed_is_argued_and_still_stands_in_the_source():
    ids = {name.partition(" | ")[0] for name in KNOWN}
    names = {f"{id} | {slip.name}" for id in ids for slip in slips(BY_ID[id])}
    assert KNOWN - names == set()
    assert set(REPORT["slips"]["survivors"]) == KNOWN
    assert all(len(reason) > 20 for some in ARGUED.values() for reason in some.values())


def test_the_report_of_the_full_run_is_of_these_sources_and_good():
    assert REPORT["sources"] == fingerprint(sources())
    found = REPORT["slips"]
    assert found["exercises"].keys() == BY_ID.keys()
    assert found["noticed"] >= 0.98 * (found["slips"] - found["not_asked"])
    assert found["told_no_more_than_wrong_values"] == []
    assert REPORT["corpus"]["answers"] == len(corpus.WRONG) >= 120
    assert REPORT["corpus"]["top_1"] >= 0.9
    assert REPORT["spoilt"]["named"] >= 0.9 * REPORT["spoilt"]["answers"]
    assert REPORT["seeds"] >= 20
    for part in ("corpus", "misconceptions", "pairs"):
        assert REPORT[part]["accepted"] == []
    for part in ("right", "right with two threads"):
        assert REPORT[part]["rejected"] == []


@pytest.mark.parametrize("id", sorted({entry.exercise for entry in corpus.WRONG}))
def test_a_wrong_answer_in_other_words_is_named(id):
    for entry in (entry for entry in corpus.WRONG if entry.exercise == id):
        verdict = check(BY_ID[id], entry.function, seed=7)
        assert verdict.status == "wrong", entry.name
        if entry.name not in REPORT["corpus"]["diagnosed_otherwise"]:
            assert verdict.code in entry.codes, (entry.name, verdict)


@pytest.mark.parametrize("pair", pairs.PAIRS, ids=lambda pair: pair.name)
def test_two_faults_at_once_are_not_accepted(pair):
    assert check(BY_ID[pair.exercise], pair.function).status == "wrong"


def test_there_are_more_than_twenty_pairs_of_known_faults():
    assert len(pairs.PAIRS) > 20
    for pair in pairs.PAIRS:
        assert pair.codes <= {wrong.code for wrong in BY_ID[pair.exercise].misconceptions}


def test_a_property_is_named_by_its_kind():
    judged = [
        (id, kind, spoilt.names_its_kind(BY_ID[id], kind, check(BY_ID[id], function)))
        for id in SAMPLE
        for kind, function in spoilt.answers(BY_ID[id])
    ]
    assert sum(named for _, _, named in judged) >= 0.9 * len(judged), judged


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize("id", SAMPLE)
def test_an_answer_that_asks_for_a_gpu_is_told_which_device_to_use(id):
    def on_the_gpu(*inputs, **options):
        return BY_ID[id].reference(*(x.cuda() if isinstance(x, Tensor) else x for x in inputs))

    if "Tensor" not in str(inspect.signature(BY_ID[id].reference)):
        pytest.skip("it takes no tensors")
    verdict = check(BY_ID[id], on_the_gpu)
    assert verdict.code == "raises"
    assert s.NEEDS_DEVICE in verdict.sentence


def test_an_answer_for_one_batch_size_is_told_where_it_stops():
    def for_four(mu, logvar):
        return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).view(4, -1).sum(dim=1)

    verdict = check(BY_ID["vae.gaussian_kl"], for_four)
    assert verdict.code in ("raises", "shape")


def test_an_answer_that_keeps_something_between_calls_is_told_so():
    calls = []

    def growing(mu, logvar):
        calls.append(1)
        return len(calls) * 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)

    verdict = check(BY_ID["vae.gaussian_kl"], growing)
    assert (verdict.code, verdict.sentence) == ("repeat", s.REPEAT)


def test_a_wrong_part_of_a_dictionary_is_named():
    def spoilt_part(rate, distortion, *, entropy):
        right = BY_ID["vae.information_bounds"].reference(rate, distortion, entropy=entropy)
        return {**right, "excess": 3 * right["excess"]}

    sentence = check(BY_ID["vae.information_bounds"], spoilt_part).sentence
    assert "in `excess`: all of it is 3 times too large" in sentence


def test_right_gradients_say_which_terms_are_right():
    def without_one_term(mu, logvar):
        return 0.5 * (mu**2 + logvar.exp() - 1 - 0.7 * logvar).sum(dim=1)

    sentence = check(BY_ID["vae.gaussian_kl"], without_one_term).sentence
    assert "its gradient is right for `mu` and wrong for `logvar`" in sentence


def test_a_misconception_beside_an_overflow_is_named():
    def unstable(logits, target):
        ink = 1 / (1 + torch.exp(-logits))
        return torch.log1p(torch.exp(ink)).sub(ink * target).flatten(1).mean(1)

    verdict = check(BY_ID["vae.bernoulli_nll"], unstable)
    assert verdict.status == "wrong"


# ---- hints


@pytest.mark.parametrize("id", BY_ID)
def test_no_hint_gives_the_code_of_the_solution(id):
    solution = _expressions(BY_ID[id].reference)
    for step, hint in BY_ID[id].hints._asdict().items():
        assert len(hint) > 20, step
        shown = _normal(hint)
        assert [line for line in solution if line in shown] == [], step
    assert ">>>" in BY_ID[id].hints.example


def _expressions(function):
    """Return what the statements of a function compute, without spaces, if it is long enough."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    values = [
        ast.unparse(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.Return)
        and not isinstance(node.value, ast.Attribute | ast.Name | ast.Constant | None)
    ]
    return [line for line in map(_normal, values) if len(line) > 14]


def _normal(text):
    return text.replace(" ", "").replace("\n", "").replace(">>>", "").replace("...", "")
