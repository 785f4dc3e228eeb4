"""Faults on purpose: what a training does when the numbers, the disk or the machine give out."""

import errno
import itertools
import json
import math
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import small_runs
import torch
from small_runs import Calls
from torch import nn

from genimg_course.models import Discriminator, Generator
from genimg_course.training import (
    CheckpointError,
    Checkpoints,
    MissingOperation,
    NonFiniteLoss,
    OutOfMemory,
    adam,
    checkpoints,
    fit,
    gan_step,
)
from genimg_course.training.faults import explain, first_broken
from genimg_course.training.interrupts import Interrupts
from genimg_course.training.random_states import gather_random_states, set_random_states

STREAM = itertools.repeat((torch.zeros(4, 1, 8, 8),))
HISTORY = {"step": [2], "loss": [0.5]}


# --- F06: the disk is full


@pytest.fixture
def saved(tmp_path):
    network = nn.Linear(64, 64)
    run = Checkpoints(tmp_path / "run", {"network": network})
    run.save(2, HISTORY)
    return network, run


def assert_kept(network, run):
    assert [path.name for path in run.folder.iterdir()] == ["step-00000002"]
    expected = network.weight.detach().clone()
    network.weight.data.zero_()
    assert run.restore() == (2, HISTORY)
    assert torch.equal(network.weight, expected)


def test_f06_a_full_disk_is_one_sentence_and_the_checkpoint_before_is_whole(saved, monkeypatch):
    network, run = saved

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.os, "fsync", full)
        with pytest.raises(CheckpointError) as error:
            run.save(4, HISTORY)
    text = str(error.value)
    assert "No space left on device" in text and "after step 2 is kept" in text
    assert "\n" not in text
    assert_kept(network, run)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are those of Unix")
def test_f06_a_file_that_may_not_grow_leaves_no_torn_checkpoint(saved):
    import resource

    network, run = saved
    held = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, held[1]))
    try:
        with pytest.raises(CheckpointError, match="no checkpoint could be written after 4 steps"):
            run.save(4, HISTORY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, held)
    assert_kept(network, run)


def test_f06_a_real_disk_of_one_megabyte_keeps_what_fitted(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("this user may not mount a small disk")
    try:
        network = nn.Linear(400, 400)  # 640 kB: one fits, two do not
        run = Checkpoints(disk / "run", {"network": network})
        run.save(2, HISTORY)
        with pytest.raises(CheckpointError, match="No space left on device"):
            run.save(4, HISTORY)
        assert_kept(network, run)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# --- F10: a checkpoint of something else


def settings(**changes):
    return {"family": "gan", "size": (8, 8), "batch_size": 4} | changes


def test_f10_another_version_of_torch_is_refused_and_named(saved, monkeypatch):
    _, run = saved
    monkeypatch.setattr(torch, "__version__", "9.9.9+cpu")
    other = Checkpoints(run.folder, run.parts)
    with pytest.raises(CheckpointError, match=r"torch is 9\.9\.9 here and .* there; install torch"):
        other.restore()


def test_f10_other_settings_are_refused_with_each_difference(tmp_path):
    parts = {"network": nn.Linear(2, 2)}
    Checkpoints(tmp_path, parts, run=settings()).save(2, HISTORY)
    assert Checkpoints(tmp_path, parts, run=settings()).restore() == (2, HISTORY)
    other = {"network": nn.Linear(2, 2)}
    before = other["network"].weight.detach().clone()
    with pytest.raises(CheckpointError) as error:
        Checkpoints(tmp_path, other, run=settings(batch_size=8, seed=1)).restore()
    assert "batch_size is 8 here and 4 there" in str(error.value)
    assert "seed is 1 here and absent there" in str(error.value)
    assert torch.equal(other["network"].weight, before)


def test_f10_another_network_is_refused_with_keys_shapes_and_settings(tmp_path):
    Checkpoints(tmp_path, {"network": nn.Linear(2, 2)}, run={"width": 2}).save(2, HISTORY)
    with pytest.raises(CheckpointError) as error:
        Checkpoints(tmp_path, {"network": nn.Linear(2, 3)}, run={"width": 3}).restore()
    assert "weight: network (3, 2), file (2, 2)" in str(error.value)
    assert "width is 3 here and 2 there" in str(error.value)


def test_f10_a_flipped_bit_in_any_file_is_found(saved):
    _, run = saved
    folder = run.folder / "step-00000002"
    rng = random.Random(0)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        if path.name == "sha256.json":
            continue
        for _ in range(5):
            torn = bytearray(whole)
            torn[rng.randrange(len(torn))] ^= 1 << rng.randrange(8)
            path.write_bytes(torn)
            with pytest.raises(CheckpointError, match="damaged"):
                run.restore()
        path.write_bytes(whole)
    assert run.restore() == (2, HISTORY)


def test_settings_that_json_cannot_hold_are_refused(tmp_path):
    with pytest.raises(ValueError, match="plain numbers and words"):
        Checkpoints(tmp_path, {"network": nn.Linear(1, 1)}, run={"network": nn.Linear(1, 1)})


# --- random states


def draws():
    return random.random(), np.random.randn(), float(torch.rand(()))


def test_every_random_state_comes_back():
    np.random.randn()  # NumPy keeps the second of two normal numbers
    states = gather_random_states()
    expected = draws()
    assert draws() != expected
    set_random_states(states)
    assert draws() == expected


def test_a_process_without_a_random_state_is_named():
    class Second:
        global_rank = 1

    with pytest.raises(ValueError, match="1 processes: none is for process 1"):
        set_random_states(gather_random_states(), Second())


# --- F11: numbers that are not finite


def gan_run(folder, breaks):
    """Return a GAN whose step calls ``breaks(n, networks, losses)`` at its end, and its parts."""
    torch.manual_seed(0)
    networks = {
        "generator": Generator(2, 8, width=2),
        "discriminator": Discriminator(8, width=2, features=4),
    }
    opt_g, opt_d = (adam(network, lr=1e-3) for network in networks.values())
    calls = []

    def step(n, x):
        calls.append(n)
        losses = gan_step(*networks.values(), opt_g, opt_d, x)
        breaks(n, networks, losses)
        return losses

    parts = {**networks, "opt_g": opt_g, "opt_d": opt_d}
    return networks, step, Checkpoints(folder, parts, every=2), calls


def test_f11_a_broken_loss_stops_in_its_step_and_keeps_the_last_checkpoint(tmp_path):
    def breaks(n, networks, losses):
        if n == 5:
            losses["g_loss"] = torch.tensor(math.nan)

    networks, step, saves, calls = gan_run(tmp_path, breaks)
    with pytest.raises(NonFiniteLoss, match="g_loss became nan in step 5"):
        fit(step, STREAM, steps=9, checkpoints=saves, networks=networks, progress=False)
    assert calls[-1] == 5
    assert saves.restore()[0] == 4


def test_f11_a_broken_gradient_stops_within_one_step_and_names_the_tensor(tmp_path):
    networks, step, saves, calls = gan_run(tmp_path, lambda *_: None)
    poisoned = dict(networks["generator"].named_parameters())["root.0.weight"]

    def poison(parameter):
        if calls[-1] == 4:
            parameter.grad.fill_(math.nan)

    poisoned.register_post_accumulate_grad_hook(poison)
    with pytest.raises(NonFiniteLoss) as error:
        fit(step, STREAM, steps=9, checkpoints=saves, networks=networks, progress=False)
    assert calls[-1] == 5
    assert "in step 5" in str(error.value)
    assert "the first tensor that is not finite is generator.root.0.weight" in str(error.value)
    assert saves.restore()[0] == 4
    assert first_broken(networks, gradients=False) is None


def test_f11_weights_that_break_in_the_last_step_are_found(tmp_path):
    def breaks(n, networks, losses):
        if n == 3:
            networks["discriminator"].head.bias.data.fill_(math.inf)

    networks, step, _, _ = gan_run(tmp_path, breaks)
    with pytest.raises(NonFiniteLoss, match=r"discriminator\.head\.bias holds NaN .* step 3"):
        fit(step, STREAM, steps=4, networks=networks, progress=False)


def test_parameters_are_searched_first_then_gradients_then_buffers():
    networks = {"a": nn.BatchNorm2d(1), "b": nn.Linear(1, 1)}
    networks["a"].running_var.fill_(math.nan)
    assert first_broken(networks) == "a.running_var (buffer)"
    networks["b"].bias.grad = torch.full((1,), math.inf)
    assert first_broken(networks) == "b.bias (gradient)"
    assert first_broken(networks, gradients=False) == "a.running_var (buffer)"
    networks["b"].weight.data.fill_(-math.inf)
    assert first_broken(networks) == "b.weight"
    assert first_broken({"c": nn.Linear(1, 1)}) is None


# --- F14: a device that gives out


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    ],
)
def test_f14_no_memory_names_the_batch_and_what_to_do(error):
    def step(n, x):
        raise error

    with pytest.raises(OutOfMemory, match=r"step 0 .*\(4, 1, 8, 8\): halve batch_size") as told:
        fit(step, STREAM, steps=3, progress=False)
    assert told.value.__cause__ is error


def test_f14_an_operation_that_apples_gpu_lacks_names_the_switch():
    lack = NotImplementedError(
        "The operator 'aten::x' is not implemented for the MPS device.\nmore"
    )

    def step(n, x):
        raise lack

    with pytest.raises(MissingOperation, match="PYTORCH_ENABLE_MPS_FALLBACK=1") as told:
        fit(step, STREAM, steps=3, progress=False)
    assert "aten::x" in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), NotImplementedError("later")])
def test_other_errors_of_a_step_stay_what_they_are(error):
    assert explain(error, 0, ()) is error

    def step(n, x):
        raise error

    with pytest.raises(type(error)) as told:
        fit(step, STREAM, steps=3, progress=False)
    assert told.value is error


# --- F20, F21: a small machine


def test_f20_f21_training_starts_no_process_and_no_thread(monkeypatch, tmp_path):
    def forbidden(*_, **__):
        pytest.fail("a process or a thread was started")

    for where, name in (
        (os, "fork"),
        (subprocess, "Popen"),
        (multiprocessing.Process, "start"),
        (threading.Thread, "start"),
        (torch.utils.data.DataLoader, "__init__"),
    ):
        monkeypatch.setattr(where, name, forbidden)
    result = small_runs.train("cgan", checkpoints=tmp_path)
    assert result["history"]["step"] == [1, 2, 3, 4, 5]


# --- F22: interrupts


def interrupted(number, at, times=1):
    """Train a VAE-like run whose step gets signals in the middle; return a step that sends them."""

    def wrap(step):
        def sending(n, *batch):
            for _ in range(times if n == at else 0):
                signal.raise_signal(number)
            return step(n, *batch)

        return sending

    return wrap


@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGINT, "by hand"), (signal.SIGTERM, "by the system")]
)
def test_f22_an_interrupted_cell_saves_and_running_it_again_goes_on_bit_for_bit(
    tmp_path, monkeypatch, capsys, number, words
):
    before = signal.getsignal(number)
    straight = small_runs.train("cgan", steps=6)
    make = small_runs.FAMILIES["cgan"]

    def sending(fabric=None):
        networks, parts, step = make(fabric)
        return networks, parts, interrupted(number, 2)(step)

    with monkeypatch.context() as patch:
        patch.setitem(small_runs.FAMILIES, "cgan", sending)
        half = small_runs.train("cgan", steps=6, checkpoints=tmp_path, every=100)
    out = capsys.readouterr().out
    assert out.startswith(f"stopped {words} after 3 of 6 steps") and out.count("\n") == 1
    assert half["history"]["step"] == [1, 2, 3]
    assert signal.getsignal(number) is before
    for _ in range(2):  # the cell once more, and once more
        again = small_runs.train("cgan", steps=6, checkpoints=tmp_path, every=100, seed=7)
        torch.testing.assert_close(again, straight, atol=0, rtol=0)


def test_f22_a_second_interrupt_breaks_at_once():
    before = signal.getsignal(signal.SIGINT)
    step = interrupted(signal.SIGINT, 1, times=2)(lambda n, x: {"loss": torch.tensor(0.0)})
    with pytest.raises(KeyboardInterrupt):
        fit(step, STREAM, steps=9, progress=False)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_ignored_signal_stays_ignored_and_other_threads_have_no_handlers():
    held = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGTERM)
        assert interrupts.asked is None
    finally:
        signal.signal(signal.SIGTERM, held)
    histories = []
    thread = threading.Thread(
        target=lambda: histories.append(
            fit(lambda n, x: {"loss": torch.tensor(1.0)}, STREAM, steps=2, progress=False)
        )
    )
    thread.start()
    thread.join()
    assert histories[0]["step"] == [1, 2]


# --- those who are told


def test_the_log_hears_of_every_look():
    told = []
    fit(
        lambda n, x: {"loss": torch.tensor(float(n))},
        STREAM,
        steps=5,
        read_every=2,
        progress=False,
        log=lambda done, losses: told.append((done, losses)),
    )
    assert told == [(2, {"loss": 0.5}), (4, {"loss": 2.5}), (5, {"loss": 4.0})]
    assert json.dumps(told)


def test_the_counter_of_calls_counts():
    calls = Calls()
    sys.setprofile(calls)
    len(()), len(())
    sys.setprofile(None)
    assert calls.count == 3  # two lengths, and the end of the counting
