import copy
import time

import pytest
import torch
from torch import nn

from genimg_course.data import Batches, ImageSet
from genimg_course.data.sets import Card
from genimg_course.models import Generator
from genimg_course.training import (
    Average,
    accumulated_step,
    kept_bytes,
    operator_seconds,
    restore_run,
    run_state,
    sample,
    step_seconds,
)


def test_each_step_has_its_own_time():
    pauses = iter((0.02, 0.0, 0.0))
    seconds = step_seconds(lambda: time.sleep(next(pauses)), 3)
    assert seconds.shape == (3,)
    assert seconds[0] >= 0.02 > seconds[1:].max()
    with pytest.raises(ValueError, match="count is 0"):
        step_seconds(lambda: None, 0)


def test_the_profiler_names_the_product_and_prints_nothing(capfd):
    a = torch.randn(300, 300)
    found = operator_seconds(lambda: [a @ a for _ in range(5)], top=2)
    assert max(found, key=found.__getitem__) == "mm"
    assert list(found)[-1] == "others"
    assert capfd.readouterr() == ("", "")


def test_kept_bytes_are_those_of_the_backward_pass():
    x = torch.randn(4, 6, requires_grad=True)
    assert kept_bytes(lambda: x.sigmoid()) == 4 * 6 * 4
    layer = nn.Linear(6, 3)
    inner = layer.parameters()
    assert kept_bytes(lambda: layer(x), without=inner) == 4 * 6 * 4
    assert kept_bytes(lambda: x.detach().sigmoid()) == 0


@pytest.mark.parametrize("pieces", [1, 2, 3, 5])
def test_pieces_end_where_the_whole_batch_ends(pieces):
    torch.manual_seed(0)
    x, start = torch.randn(5, 4), nn.Linear(4, 1)
    ends = []
    for cut in (1, pieces):
        network = copy.deepcopy(start)
        descent = torch.optim.SGD(network.parameters(), lr=0.5)
        losses = accumulated_step(
            network, descent, lambda n, some: n(some).square().mean(), x, pieces=cut
        )
        ends.append((network.weight.detach(), losses["loss"]))
    torch.testing.assert_close(ends[0], ends[1])
    assert not losses["loss"].requires_grad


def test_more_pieces_than_examples_are_refused():
    network = nn.Linear(2, 1)
    descent = torch.optim.SGD(network.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="pieces is 4 for 3 examples"):
        accumulated_step(network, descent, lambda n, x: n(x).mean(), torch.ones(3, 2), pieces=4)


@pytest.mark.parametrize("training", [True, False])
def test_looking_leaves_no_trace(training):
    generator = Generator(latent_dim=3, width=4).train(training)
    before = copy.deepcopy(generator.state_dict())
    x = sample(generator, torch.randn(5, 3))
    assert not x.requires_grad
    assert generator.training is training
    after = generator.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_the_mode_comes_back_after_an_error():
    generator = Generator(latent_dim=3, width=4)
    with pytest.raises(RuntimeError):
        sample(generator, torch.randn(5, 4))
    assert generator.training


def tiny_run(seed):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    card = Card("dots", "Dots", "CC0", "this file", (1, 2, 2))
    images = torch.arange(48, dtype=torch.uint8).reshape(12, 1, 2, 2)
    batches = Batches(ImageSet(images, None, card), 3, rng=torch.Generator().manual_seed(seed))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    return network, optimizer, Average(network), batches


def go_on(network, optimizer, average, batches):
    for _ in range(3):
        (x,) = next(batches)
        loss = network(x + torch.randn_like(x)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(network)
    return [p.detach().clone() for p in [*network.parameters(), *average.network.parameters()]]


def test_a_restored_run_does_what_the_first_one_did():
    first, second = tiny_run(0), tiny_run(1)
    go_on(*first)
    saved = run_state(*first)
    expected = go_on(*first)
    restore_run(saved, *second)
    assert all(map(torch.equal, expected, go_on(*second)))
    restore_run({"network": saved["network"]}, *second)
    assert not all(map(torch.equal, expected, go_on(*second)))
