import pytest
import torch

from genimg_course.maths import linear_vae_terms, reparameterise
from genimg_course.models import DenseVAE, LinearVAE


@pytest.mark.parametrize("size, channels", [(16, 1), (9, 3)])
def test_a_dense_vae_takes_any_side_and_colour(size, channels):
    torch.manual_seed(0)
    model = DenseVAE(latent_dim=5, size=size, channels=channels, width=16, depth=2)
    x = torch.rand(3, channels, size, size) * 2 - 1
    logits, mu, logvar = model(x)
    assert (logits.shape, mu.shape, logvar.shape) == (x.shape, (3, 5), (3, 5))
    (logits.sum() + mu.sum() + logvar.sum()).backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


def test_models_draw_one_code_per_row():
    for model, x in (
        (DenseVAE(2, 4, width=3), torch.zeros(3, 1, 4, 4)),
        (LinearVAE(6, 2), torch.zeros(3, 6)),
    ):
        torch.manual_seed(3)
        decoded, mu, logvar = model(x)
        torch.manual_seed(3)
        torch.testing.assert_close(decoded, model.decode(reparameterise(mu, logvar)))


def test_the_linear_vae_has_the_terms_of_its_arrays():
    torch.manual_seed(0)
    model = LinearVAE(4, latent_dim=2, scale=0.5).double()
    x = torch.randn(50_000, 4, dtype=torch.float64)
    covariance = x.T @ x / len(x)
    with torch.no_grad():
        model.logvar.copy_(torch.tensor([-1.0, 0.5]))
        means, mu, logvar = model(x)
        error = (x - means).square().sum(dim=1).mean()
        distortion, rate = linear_vae_terms(
            model.decoder, model.encoder, model.logvar, covariance, noise=0.5
        )
    constant = 2 * torch.log(torch.tensor(torch.pi))
    assert distortion.item() == pytest.approx((error + constant).item(), rel=0.02)
    torch.testing.assert_close(rate, 0.5 * (mu.square() + logvar.exp() - 1 - logvar).mean(dim=0))
