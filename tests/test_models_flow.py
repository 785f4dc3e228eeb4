import pytest
import torch
from torch.distributions import MultivariateNormal

from genimg_course.models import CouplingFlow


def flow(dim, **kw):
    torch.manual_seed(0)
    return CouplingFlow(dim, width=5, **kw).double()


@pytest.mark.parametrize("dim", [2, 3, 5])
def test_noise_leads_back_to_the_points(dim):
    model, x = flow(dim), torch.randn(6, dim).double()
    torch.testing.assert_close(model.to_points(model.to_noise(x)[0]), x)


@pytest.mark.parametrize("dim", [2, 3])
def test_density_agrees_with_the_jacobian(dim):
    model, x = flow(dim), torch.randn(4, dim).double()
    base = MultivariateNormal(torch.zeros(dim).double(), torch.eye(dim).double())
    for row, found in zip(x, model(x), strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda v: model.to_noise(v[None])[0][0], row)
        z = model.to_noise(row[None])[0][0]
        expected = base.log_prob(z) + torch.linalg.slogdet(jacobian)[1]
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("dim", [2, 5])
def test_every_number_is_moved(dim):
    model = flow(dim, layers=2)
    x = torch.randn(1, dim).double()
    slope = torch.autograd.functional.jacobian(lambda v: model.to_noise(v[None])[0][0], x[0])
    assert (slope != 0).sum(dim=0).min() >= 1
    last = [network[-1].weight.abs().sum() for network in model.networks]
    assert all(weight > 0 for weight in last)
    assert not torch.allclose(model.to_noise(x)[0].sort().values, x.sort().values)


def test_log_scales_stay_within_the_limit():
    model = flow(2, layers=3, limit=0.5)
    with torch.no_grad():
        for network in model.networks:
            network[-1].bias.fill_(1e6)
    _, log_det = model.to_noise(torch.zeros(1, 2).double())
    assert log_det.item() == pytest.approx(1.5)


def test_samples_have_a_shape_and_repeat_with_the_seed():
    model = flow(3).float()
    one, two = (model.sample(9, rng=torch.Generator().manual_seed(3)) for _ in range(2))
    assert one.shape == (9, 3) and torch.equal(one, two) and not one.requires_grad


def test_one_number_cannot_be_split():
    with pytest.raises(ValueError, match="dim is 1"):
        CouplingFlow(1)
