"""Two processes that talk through gloo train like one process with the batch of both."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import small_runs
import torch
from scripts import environment
from small_runs import FAMILIES, train

SECONDS = 120


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What each of two processes reached, by family and number of the process."""
    folder = tmp_path_factory.mktemp("two")
    inherited = {"LOCAL_RANK", "MASTER_PORT"}
    process = subprocess.Popen(
        [sys.executable, small_runs.__file__, "two", str(folder)],
        env={name: x for name, x in environment().items() if name not in inherited},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that the second process, its child, can be ended with it
    )
    try:
        out, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
        pytest.fail(f"two processes did not finish in {SECONDS} s:\n{out}")
    assert process.returncode == 0, out
    assert out == "", "Fabric talked"
    return {
        family: [torch.load(folder / f"{family}-{rank}.pt") for rank in (0, 1)]
        for family in FAMILIES
    }


@pytest.fixture
def noise_of_two(monkeypatch):
    """Draw row ``i`` of all noise from the generator that process ``i % 2`` would have."""
    generators = [torch.Generator().manual_seed(100 + rank) for rank in (0, 1)]

    def interleaved(draw):
        def drawn(*shape, generator=None, dtype=None, device=None):
            if len(shape) == 1 and not isinstance(shape[0], int):
                shape = tuple(shape[0])
            halves = [draw(shape[0] // 2, *shape[1:], generator=g, dtype=dtype) for g in generators]
            return torch.stack(halves, dim=1).reshape(shape)

        return drawn

    def patch():
        randn = interleaved(torch.randn)
        monkeypatch.setattr(torch, "rand", interleaved(torch.rand))
        monkeypatch.setattr(torch, "randn", randn)
        monkeypatch.setattr(torch, "randn_like", lambda x: randn(*x.shape, dtype=x.dtype))

    return patch


@pytest.mark.parametrize("family", FAMILIES)
def test_two_processes_have_the_losses_of_one_with_the_batch_of_both(two, noise_of_two, family):
    make = FAMILIES[family]

    def after_making(fabric=None):
        made = make(fabric)
        noise_of_two()  # the weights are drawn as always
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FAMILIES, family, after_making)
        one = train(family)["history"]
    for rank in (0, 1):
        history = two[family][rank]["once"]["history"]
        assert history.keys() == one.keys() and history["step"] == one["step"]
        for name in one:
            assert history[name] == pytest.approx(one[name], rel=1e-5, abs=1e-5), name


@pytest.mark.parametrize("family", FAMILIES)
def test_both_processes_hold_the_same_weights_and_statistics(two, family):
    first, second = (result["once"]["states"] for result in two[family])
    torch.testing.assert_close(first, second, atol=0, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_two_processes_resume_bit_for_bit_each_with_its_random_numbers(two, family):
    for result in two[family]:
        torch.testing.assert_close(result["resumed"], result["straight"], atol=0, rtol=0)
    first, second = (result["straight"]["random"] for result in two[family])
    assert not torch.equal(first, second)


def test_the_script_lies_beside_this_test():
    assert Path(small_runs.__file__).parent == Path(__file__).parent
