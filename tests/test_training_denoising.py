"""Steps of denoisers and of models that fill holes: what goes in, the target, what moves."""

import pytest
import torch
from torch import nn

from genimg_course.training import denoising_step, inpaint, masked_step, square_holes


class Spy(nn.Module):
    """Return the input times one weight and remember what came in."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        self.seen = x.detach().clone()
        return self.weight * x


def start():
    model = Spy()
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def test_noise_of_the_given_size_goes_in_and_the_clean_input_is_the_target():
    torch.manual_seed(0)
    model, optimizer = start()
    x = torch.full((400, 50), 2.0)
    result = denoising_step(model, optimizer, x, sigma=0.3)
    noise = model.seen - x
    assert noise.mean().item() == pytest.approx(0, abs=0.02)
    assert noise.std().item() == pytest.approx(0.3, abs=0.01)
    expected = (0.5 * model.seen - x).square().sum(dim=1).mean()
    assert result["squared_error"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert not result["squared_error"].requires_grad
    slope = 2 * ((0.5 * model.seen - x) * model.seen).sum(dim=1).mean()
    assert model.weight.item() == pytest.approx(0.5 - 0.1 * slope.item(), rel=1e-4)


def test_each_step_draws_noise_of_its_own():
    model, optimizer = start()
    seen = []
    for _ in range(2):
        denoising_step(model, optimizer, torch.zeros(2, 3), sigma=1.0)
        seen.append(model.seen)
    assert not torch.equal(*seen)


@pytest.mark.parametrize("sigma", [0.0, -1.0])
def test_noise_needs_a_size(sigma):
    with pytest.raises(ValueError, match=f"sigma is {sigma}"):
        denoising_step(*start(), torch.zeros(2, 3), sigma=sigma)


def test_a_masked_step_hides_pixels_and_asks_for_all_of_them():
    model, optimizer = start()
    x, mask = torch.ones(2, 1, 2, 2), torch.ones(2, 1, 2, 2)
    mask[:, :, 0] = 0
    result = masked_step(model, optimizer, x, mask)
    assert torch.equal(model.seen, mask * x)
    assert result["squared_error"].item() == pytest.approx(2 * 1 + 2 * 0.25)
    assert not result["squared_error"].requires_grad
    assert model.weight.item() == pytest.approx(0.5 + 0.1 * 2)


def test_only_the_hole_is_filled():
    model, _ = start()
    x, mask = torch.tensor([[0.8, -0.4, 1.0]]), torch.tensor([[1.0, 0.0, 1.0]])
    filled = inpaint(lambda known: known + 0.25, x, mask)
    torch.testing.assert_close(filled, torch.tensor([[0.8, 0.25, 1.0]]))
    inpaint(model, x, mask)
    assert model.seen.tolist() == [[pytest.approx(0.8), 0.0, 1.0]]


def test_holes_are_squares_of_one_size_at_many_places():
    masks = square_holes(300, 6, side=2, rng=torch.Generator().manual_seed(0))
    assert masks.shape == (300, 1, 6, 6)
    assert (masks.sum(dim=(1, 2, 3)) == 32).all()
    rows, columns = (1 - masks).amax(dim=3).sum(dim=2), (1 - masks).amax(dim=2).sum(dim=2)
    assert (rows == 2).all() and (columns == 2).all()
    assert len(masks.unique(dim=0)) == 25  # every place is reached


@pytest.mark.parametrize("side", [0, 7])
def test_a_hole_must_fit(side):
    with pytest.raises(ValueError, match=f"side is {side}"):
        square_holes(1, 6, side=side, rng=torch.Generator())
