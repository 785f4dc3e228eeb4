import pytest
import torch

from genimg_course.maths import ancestral_samples, autoregressive_mask


@pytest.mark.parametrize("strict", [False, True])
def test_mask_agrees_with_a_loop(strict):
    sources, targets = torch.tensor([2, 0, 1, 3, 1]), torch.tensor([1, 3, 0])
    mask = autoregressive_mask(sources, targets, strict=strict)
    assert mask.shape == (3, 5) and mask.dtype == torch.float32
    for o in range(3):
        for i in range(5):
            seen = targets[o] > sources[i] or (not strict and targets[o] == sources[i])
            assert mask[o, i] == float(seen)


def test_two_layers_together_hide_the_own_place():
    places, hidden = torch.arange(5), torch.tensor([0, 3, 1, 4, 2, 0])
    first = autoregressive_mask(places, hidden)
    last = autoregressive_mask(hidden, places, strict=True)
    assert torch.equal((last @ first > 0).float(), torch.ones(5, 5).tril(-1))


def test_sure_guesses_are_drawn_as_they_are():
    def logits(x):  # the opposite of the value before; the first is ink
        before = torch.cat([torch.zeros(len(x), 1), x[:, :-1]], dim=1)
        return 1000 * (0.5 - before)

    drawn = ancestral_samples(logits, torch.full((3, 4), 7.0), rng=torch.Generator())
    assert torch.equal(drawn, torch.tensor([1.0, 0, 1, 0]).expand(3, 4))
    kept = ancestral_samples(logits, torch.zeros(2, 4), rng=torch.Generator(), begin=2)
    assert torch.equal(kept, torch.tensor([0.0, 0, 1, 0]).expand(2, 4))


def test_draws_repeat_with_the_seed_and_leave_the_start_alone():
    start = torch.zeros(50, 3)
    one, two = (
        ancestral_samples(lambda x: 0 * x, start, rng=torch.Generator().manual_seed(4))
        for _ in range(2)
    )
    assert torch.equal(one, two) and start.sum() == 0
    assert 0.3 < one.mean() < 0.7


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"\(2, 1\)"):
        autoregressive_mask(torch.zeros(2, 1), torch.zeros(3))
    with pytest.raises(ValueError, match="begin is 3"):
        ancestral_samples(lambda x: x, torch.zeros(2, 3), rng=torch.Generator(), begin=3)
