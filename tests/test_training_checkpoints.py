import copy
import json
import math
import shutil

import pytest
import torch
from torch import nn
from torch.optim import Adam

from genimg_course.training import Average, CheckpointError, Checkpoints, checkpoints
from genimg_course.training.random_states import gather_random_states, set_random_states

HISTORY = {"step": [1, 2], "loss": [0.1, 1 / 3]}


def parts_of(width=3, seed=0):
    """A small run with one part of every kind, after one update."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width))
    optimizer, average = Adam(network.parameters()), Average(network)
    network(torch.randn(4, 2)).square().sum().backward()
    optimizer.step()
    average.update(network)
    return {"network": network, "optimizer": optimizer, "average": average}


def states(parts):
    return copy.deepcopy({name: part.state_dict() for name, part in parts.items()})


def assert_same(parts, expected):
    torch.testing.assert_close(states(parts), expected, atol=0, rtol=0)


@pytest.fixture
def saved(tmp_path):
    """The parts of a run and its checkpoint after two steps."""
    parts = parts_of()
    run = Checkpoints(tmp_path / "run", parts)
    return parts, run, run.save(2, HISTORY)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- saving and restoring


def test_everything_comes_back(saved):
    parts, run, folder = saved
    drawn = torch.rand(3)
    other = parts_of(seed=1)
    assert Checkpoints(run.folder, other).restore() == (2, HISTORY)
    assert_same(other, states(parts))
    torch.testing.assert_close(torch.rand(3), drawn, atol=0, rtol=0)  # the random state as well
    files = ["history.json", "network.safetensors", "run.json", "sha256.json", "state.pt"]
    assert (folder.name, names(folder)) == ("step-00000002", files)


def test_without_a_checkpoint_nothing_is_restored(tmp_path):
    parts = parts_of()
    before = states(parts)
    assert Checkpoints(tmp_path / "missing", parts).restore() == (0, {})
    assert_same(parts, before)


def test_the_newest_checkpoint_is_restored(saved):
    parts, run, _ = saved
    parts["network"][0].weight.data.fill_(7)
    run.save(10, HISTORY)
    parts["network"][0].weight.data.fill_(0)
    assert run.restore()[0] == 10
    assert (parts["network"][0].weight == 7).all()


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_only_the_newest_are_kept(tmp_path, keep):
    run = Checkpoints(tmp_path, parts_of(), keep=keep)
    for step in (5, 10, 15, 20):
        run.save(step, HISTORY)
    assert run.steps() == [5, 10, 15, 20][-keep:]
    assert names(tmp_path) == [f"step-{step:08d}" for step in run.steps()]


def test_a_step_saved_again_replaces_what_was_there(saved):
    parts, run, folder = saved
    parts["network"][0].weight.data.fill_(7)
    run.save(2, {"step": [2]})
    assert run.restore() == (2, {"step": [2]})
    assert (parts["network"][0].weight == 7).all()
    assert names(run.folder) == [folder.name]


def test_a_part_may_have_any_name(tmp_path):
    parts = {"rng": Average(nn.Linear(2, 2)), "cuda_rng": nn.Linear(2, 2), "parts": nn.Linear(1, 1)}
    before = states(parts)
    Checkpoints(tmp_path, parts).save(1, HISTORY)
    for part in (parts["rng"].network, parts["cuda_rng"], parts["parts"]):
        part.weight.data.zero_()
    Checkpoints(tmp_path, parts).restore()
    assert_same(parts, before)


def test_apples_generator_is_kept_too(monkeypatch):
    state, restored = torch.arange(3, dtype=torch.uint8), []
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: state)
    monkeypatch.setattr(torch.mps, "set_rng_state", restored.append)
    set_random_states(gather_random_states())
    assert len(restored) == 1 and restored[0] is state


def test_broken_weights_are_not_saved(saved):
    parts, run, _ = saved
    parts["network"][0].bias.data[1] = math.inf
    with pytest.raises(CheckpointError, match=r"network\.0\.bias holds NaN or infinity after 4"):
        run.save(4, HISTORY)
    assert run.steps() == [2]


# --- a write that is cut short


@pytest.mark.parametrize("writer", ["save", "torch.save", "json.dumps", "os.fsync"])
@pytest.mark.parametrize(
    ("death", "raised"),
    [(OSError("disk full"), CheckpointError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_write_that_dies_leaves_the_checkpoint_before_it(
    saved, monkeypatch, writer, death, raised
):
    parts, run, folder = saved
    before = states(parts)

    def die(*args, **kwargs):
        raise death

    with monkeypatch.context() as patch:
        patch.setattr(f"{checkpoints.__name__}.{writer}", die)
        with pytest.raises(raised):
            run.save(4, HISTORY)
    assert names(run.folder) == [folder.name]
    parts["network"][0].weight.data.zero_()
    assert run.restore() == (2, HISTORY)
    assert_same(parts, before)


def test_what_a_killed_process_left_behind_is_ignored_and_swept_up(saved):
    _, run, folder = saved
    for torn in (".partial", "step-00000009"):
        shutil.copytree(folder, run.folder / torn)
        (run.folder / torn / "sha256.json").unlink()  # written last
    assert run.steps() == [2]
    run.save(9, HISTORY)
    assert names(run.folder) == [folder.name, "step-00000009"]
    assert run.restore()[0] == 9


def test_a_deletion_that_is_cut_short_leaves_no_half_checkpoint(saved, monkeypatch):
    _, run, _ = saved
    run.save(4, HISTORY)

    def die(folder, **options):
        if folder.exists():
            next(folder.glob("*.safetensors")).unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            run.save(6, HISTORY)  # the checkpoint of step 2 goes
    assert run.steps() == [4, 6]
    run.save(8, HISTORY)
    assert names(run.folder) == ["step-00000006", "step-00000008"]


# --- a checkpoint that was damaged


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "a bit of a weight": (lambda f: flip(f / "network.safetensors", -1), "network.safetensors"),
    "half of the weights": (
        lambda f: (f / "network.safetensors").write_bytes(
            (f / "network.safetensors").read_bytes()[:200]
        ),
        "network.safetensors",
    ),
    "a byte of the state": (lambda f: flip(f / "state.pt", 700), "state.pt"),
    "no state": (lambda f: (f / "state.pt").unlink(), "state.pt"),
    "another history": (lambda f: (f / "history.json").write_text("{}"), "history.json"),
    "no checksums": (lambda f: (f / "sha256.json").write_text("{"), "step-00000002"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named_and_nothing_is_restored(saved, name):
    _, run, folder = saved
    damage, named = DAMAGES[name]
    damage(folder)
    other = parts_of(seed=1)
    before = states(other)
    with pytest.raises(CheckpointError) as error:
        Checkpoints(run.folder, other).restore()
    assert "step-00000002 is damaged" in str(error.value)
    assert named in str(error.value) and "delete that folder" in str(error.value)
    assert_same(other, before)


def test_deleting_the_damaged_folder_brings_back_the_one_before(saved):
    parts, run, _ = saved
    before = states(parts)
    parts["network"][0].weight.data.zero_()
    newer = run.save(4, HISTORY)
    flip(newer / "network.safetensors", -1)
    with pytest.raises(CheckpointError):
        run.restore()
    shutil.rmtree(newer)
    assert run.restore() == (2, HISTORY)
    assert_same(parts, before)


# --- a checkpoint of something else


def other_optimizer():
    parts = parts_of(seed=1)
    return parts | {"optimizer": Adam([parts["network"][0].weight])}


OTHERS = {
    "a wider network": (lambda: parts_of(width=5), ["0.weight: network (5, 2), file (3, 2)"]),
    "another network": (
        lambda: parts_of(seed=1) | {"network": nn.Linear(2, 3)},
        ["network.safetensors holds another network", "0.bias: network absent, file (3,)"],
    ),
    "one more network": (
        lambda: parts_of(seed=1) | {"critic": nn.Linear(2, 2)},
        ["critic", "another run"],
    ),
    "one more optimiser": (
        lambda: parts_of(seed=1) | {"opt_d": Adam([torch.zeros(1)])},
        ["opt_d", "another run"],
    ),
    "a network where an optimiser was": (
        lambda: parts_of(seed=1) | {"optimizer": nn.Linear(2, 2)},
        ["optimizer", "another run"],
    ),
    "an optimiser of fewer weights": (other_optimizer, ["does not fit optimizer"]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_another_run_is_refused(saved, name):
    _, run, folder = saved
    make, named = OTHERS[name]
    parts = make()
    with pytest.raises(CheckpointError) as error:
        Checkpoints(run.folder, parts).restore()
    for words in (*named, folder.name):
        assert words in str(error.value)


def test_a_foreign_checkpoint_changes_no_network(saved):
    other = parts_of(width=5)
    before = states(other)
    with pytest.raises(CheckpointError):
        Checkpoints(saved[1].folder, other).restore()
    assert_same(other, before)


@pytest.mark.parametrize(
    ("parts", "options", "named"),
    [({}, {}, "[]"), (None, {"every": 0}, "every 0"), (None, {"keep": -1}, "keep -1")],
)
def test_bad_input_is_named(tmp_path, parts, options, named):
    with pytest.raises(ValueError) as error:
        Checkpoints(tmp_path, {"network": nn.Linear(1, 1)} if parts is None else parts, **options)
    assert named in str(error.value)


def test_the_history_is_readable_without_the_course(saved):
    assert json.loads((saved[2] / "history.json").read_text()) == HISTORY
