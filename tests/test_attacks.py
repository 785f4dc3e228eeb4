"""Attacks on the grader, in a short form; ``make test-grading`` runs all of them in full.

Each tier grades five honest students beside three hostile ones that carry an attack per exercise.
Forms of files hold honest code, so they are graded without a sandbox. And the corpus is able to
fail: a grader without protection accepts, loses or leaks what ours does not.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from attacks import host as h
from attacks.attack import Attack
from attacks.batches import Batch, grade_batch, judge_attack, missing_tier
from attacks.corpus import ATTACKS, BY_ID, OWN, VISIBLE
from attacks.host import Host, make_host
from attacks.writing import ROOT, attacked

from genimg_course.grading.batch import grade
from genimg_course.grading.intake import manifest
from genimg_course.grading.isolation.session import Program
from genimg_course.probing.calling import Failure
from genimg_course.probing.case import Case
from genimg_course.probing.observing import find_probe, observe

TIERS = ("bubblewrap", "landlock")
KL, DRAW, NLL = "vae.gaussian_kl", "vae.reparameterise", "vae.bernoulli_nll"
SCORE, BOUND, BETA = "vae.score_function_gradient", "vae.negative_elbo", "vae.effective_beta"
IWAE, FORMS, STEP = "vae.importance_log_likelihood", "vae.elbo_forms", "vae.step"

# the grader without protection runs these: they read, compare, end or hang, and change nothing
_HARMLESS = {**dict.fromkeys(("V01", "V13", "V52", "W03"), KL), "V19": NLL, "V20": NLL, "V40": KL}

# one notebook each; every exercise of it carries another attack
_MIXED = {
    "M1": {KL: "V01", DRAW: "V55", NLL: "V22", SCORE: "V07", BETA: "V05", STEP: "W04"},
    "M2": {KL: "V52", DRAW: "W35", NLL: "V43", SCORE: "V19", BOUND: "V13", FORMS: "W23"},
    "M3": {KL: "V51", DRAW: "V40", NLL: "V48", SCORE: "V20", STEP: "W01"},
}


def _mixed(id_: str) -> Attack:
    parts = {exercise: BY_ID[attack] for exercise, attack in _MIXED[id_].items()}

    def answers(host: Host) -> dict[str, str]:
        return {id_: attack.answers(host)[id_] for id_, attack in parts.items() if attack.answers}

    expected = {exercise: attack.expected[exercise] for exercise, attack in parts.items()}
    return Attack(id_, "several attacks", expected, answers)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return make_host(tmp_path_factory.mktemp("host") / "h")


def test_the_corpus_holds_all_visible_attacks_and_twenty_of_our_own() -> None:
    assert {attack.id[:3] for attack in VISIBLE} == {f"V{number:02d}" for number in range(1, 63)}
    assert len(OWN) >= 20
    assert len({attack.id for attack in ATTACKS}) == len(ATTACKS)


@pytest.fixture(scope="module")
def alone(host: Host) -> Batch:
    """Grade the honest students alone, in one tier; their records differ in its name only."""
    name = next((tier for tier in TIERS if not missing_tier(tier)), None)
    if name is None:
        pytest.skip("; ".join(f"{tier}: {missing_tier(tier)}" for tier in TIERS))
    batch = grade_batch(host, [], tier=name)
    assert batch.broken == []
    return batch


@pytest.mark.parametrize("tier, order", [("bubblewrap", "between"), ("landlock", "before")])
def test_hostile_students_gain_nothing_and_harm_nobody(
    host: Host, alone: Batch, tier: str, order: str
) -> None:
    if reason := missing_tier(tier):
        pytest.skip(f"{tier}: {reason}")
    here = replace(alone, lines=[_of_tier(line, tier) for line in alone.lines])
    attacks = [_mixed(id_) for id_ in _MIXED]
    limits = {"seconds": 1.5, "cpu_seconds": 4, "memory_bytes": 1 << 30, "total_seconds": 30.0}
    batch = grade_batch(host, attacks, tier=tier, order=order, alone=here, limits=limits)
    assert batch.broken + batch.missed == []


def _of_tier(line: str, tier: str) -> str:
    record = json.loads(line)
    record["tier"] = tier if record["tier"] else ""
    return json.dumps(record, sort_keys=True)


_TOUCHES = """
    import socket
    socket.create_connection(("127.0.0.1", {port})).close()
    with open({book!r} + "/grades.csv", "a") as file:
        file.write("me,100")
"""


class _Trusting:
    """Runs honest code right here, in place of a sandbox."""

    tier = SimpleNamespace(name="none", flags=("UNSANDBOXED",))

    def __enter__(self) -> "_Trusting":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @contextlib.contextmanager
    def run(self, program: Program) -> Iterator["_Run"]:
        yield _Run(program)


class _Run:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._names: dict[str, Any] = {}
        self._broken: Failure | None = None
        try:
            exec(compile(program.code, "<answer>", "exec"), self._names)
        except Exception as error:
            self._broken = Failure(type(error).__name__, str(error), 1, "")

    def ask(self, case: Case, seed: int) -> dict[str, Any]:
        if self._broken is not None:
            return {"raises": self._broken}
        probe = find_probe(self._program.probe, self._program.arguments)
        function = self._names[self._program.function]
        return dict(observe(probe, function, case, seed=seed))


FORMED = [attack for attack in ATTACKS if attack.harmless and attack.id != "V34"]


@pytest.fixture(scope="module")
def formed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Host, list[dict[str, Any]]]:
    """Grade all forms of files in one batch; what is in them is honest code."""
    host = make_host(tmp_path_factory.mktemp("forms") / "h")
    for attack in FORMED:
        attack.hand_in(host.source / f"a-{attack.id.lower()}", host)
    before = host.state(), h.tree_hash(host.source), set(h.marked_files())
    lessons = {"06": manifest(ROOT / "notebooks")["06"]}
    grade(
        [host.source], host.out, lessons=lessons, seed=5, tier="none", trust=True, boxes=_Trusting
    )
    assert (host.state(), h.tree_hash(host.source), set(h.marked_files())) == before
    lines = (host.out / "records.jsonl").read_text(encoding="ascii").split("\n")
    return host, [json.loads(line) for line in lines if line]


@pytest.mark.parametrize("attack", FORMED, ids=lambda attack: attack.id)
def test_forms_of_files_are_graded_or_refused(
    formed: tuple[Host, list[dict[str, Any]]], attack: Attack
) -> None:
    host, records = formed
    missed, _ = judge_attack(attack, f"a-{attack.id.lower()}", host, records)
    assert missed == []


def test_a_grader_without_protection_fails_the_corpus(host: Host) -> None:
    before = host.state()
    with h.listening(host) as open_host:
        jobs = {
            id_: [exercise, exercise.partition(".")[2], BY_ID[id_].answers(open_host)[exercise]]
            for id_, exercise in _HARMLESS.items()
        }
        # of its own, because others of this kind would change the machine
        own = _TOUCHES.format(port=open_host.tcp, book=str(open_host.folder / "gradebook"))
        jobs["touches"] = [KL, "gaussian_kl", attacked(KL, own, when="cell")]
        done = subprocess.run(
            [sys.executable, "-P", str(ROOT / "tests" / "attacks" / "naive.py")],
            input=json.dumps(jobs),
            text=True,
            capture_output=True,
            env=host.environment(),
            cwd=host.folder,
            timeout=100,
            check=True,
        )
    verdicts = json.loads(done.stdout)
    assert verdicts["V01"] == verdicts["V13"] == verdicts["W03"] == "right"  # and are not
    assert verdicts["V19"] == "died" and verdicts["V40"] == "hangs"
    assert "KeyboardInterrupt" in verdicts["V20"]
    assert h.SECRET.search(verdicts["V52"])  # I4
    assert "tcp" in open_host.touched  # I2
    assert host.state() != before  # I1
