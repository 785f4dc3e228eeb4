"""The bench: honest turns, the same update on both sides, a table that says what was measured."""

import json
import time
from functools import partial

import pytest
import torch
from torch.testing import assert_close

from genimg_course import cli
from genimg_course.reference import bench as module
from genimg_course.reference import textbook
from genimg_course.reference.bench import (
    Contender,
    alternate,
    bench,
    bench_table,
    matrix_pace,
    one_turn,
)
from genimg_course.reference.textbook import build_networks
from genimg_course.training import open_fabric
from genimg_course.training.engine import place


def sleeper(name, seconds, log, threads=1):
    def loop():
        while True:
            log.append((name, torch.get_num_threads()))
            time.sleep(seconds)
            yield 10

    return Contender(name, partial(one_turn, loop(), threads=threads), threads)


@pytest.fixture(autouse=True)
def threads_as_before():
    before = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == before


def test_contenders_take_turns_and_the_slower_one_is_slower():
    before, log = torch.get_num_threads(), []
    paces = alternate(
        [sleeper("slow", 0.02, log), sleeper("quick", 0.005, log)], seconds=0.06, rounds=3
    )
    torch.set_num_threads(before)
    turns = [name for k, (name, _) in enumerate(log) if k == 0 or log[k - 1][0] != name]
    assert turns == ["slow", "quick"] * 3
    assert 1.5 < paces["quick"].images / paces["slow"].images < 8
    assert paces["slow"].step_seconds >= 0.02
    assert paces["slow"].images == pytest.approx(10 / paces["slow"].step_seconds, rel=0.2)
    # who sleeps costs the processor next to nothing
    assert paces["slow"].images_cpu > 3 * paces["slow"].images


def test_each_contender_runs_with_its_own_threads():
    before, log = torch.get_num_threads(), []
    alternate(
        [sleeper("one", 0.001, log, 1), sleeper("two", 0.001, log, 2)], seconds=0.005, rounds=2
    )
    torch.set_num_threads(before)
    assert {("one", 1), ("two", 2)} == set(log)


@pytest.mark.parametrize("family", ["gan", "cgan"])
def test_both_loops_make_the_same_update(family):
    # one step of plain gradient descent, from the same weights, batch and noise
    x = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(2)) * 2 - 1
    y = torch.arange(4)
    torch.manual_seed(0)
    plain = build_networks(family, 16, 1)
    descent = [torch.optim.SGD(network.parameters(), lr=0.01) for network in plain]
    torch.manual_seed(1)
    textbook._game_step(*plain, *descent, x, *((y,) if family == "cgan" else ()))

    placed = []

    def keep(fabric, network):
        placed.append(network)
        return place(fabric, network)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "place", keep)
        patch.setattr(module, "adam", lambda n, **_: torch.optim.SGD(n.parameters(), lr=0.01))
        torch.manual_seed(0)
        fabric = open_fabric(accelerator="cpu", precision="fp32")
        ours = module._our_step(family, one_picture(16), fabric)
        torch.manual_seed(1)
        ours(0, x, y)
    for mine, theirs in zip(placed, plain, strict=True):
        for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
            assert_close(a.contiguous(), b, rtol=1e-4, atol=1e-6)


def one_picture(size):
    from genimg_course.data import Card, ImageSet

    card = Card("dot", "Dot", "CC0", "this test", (1, size, size), tuple("0123456789"))
    return ImageSet(torch.zeros(1, 1, size, size, dtype=torch.uint8), torch.zeros(1).long(), card)


def test_a_matrix_product_has_a_pace():
    before = torch.get_num_threads()
    assert 1e8 < matrix_pace(torch.device("cpu"), torch.float32, 1) < 1e14
    torch.set_num_threads(before)


def test_a_quick_bench_gives_numbers_a_table_and_a_file(tmp_path, capsys):
    command = ["bench", "--quick", "--families", "mlp_vae", "gan", "--size", "16", "--device"]
    assert cli.main([*command, "cpu", "--json", str(tmp_path / "bench.json")]) == 0
    result = json.loads((tmp_path / "bench.json").read_text())
    shown = capsys.readouterr().out
    assert shown == bench_table(result) + "\n"
    assert set(result["families"]) == {"mlp_vae", "gan"}
    for measured in result["families"].values():
        entries = measured["contenders"]
        assert entries["textbook"]["ratio"] == 1 and measured["flops_per_step"] > 1e6
        assert measured["best"].startswith("ours")
        assert 0 < measured["share_of_data"] < 1
        assert all(0 < entry["share_of_matrix_pace"] < 1 for entry in entries.values())
    assert "the whole recipe" in result["families"]["gan"]["contenders"]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"families": ["wgan"]}, "wgan.*mlp_vae, vae, gan, cgan"),
        ({"families": []}, "nothing"),
        ({"seconds": 0.0}, "0.0 seconds"),
        ({"rounds": 0}, "0 rounds"),
    ],
)
def test_impossible_wishes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        bench(**options)


def test_the_command_says_what_is_wrong_in_one_sentence(capsys):
    assert cli.main(["bench", "--families", "wgan"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
