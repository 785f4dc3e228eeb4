"""The linear autoencoder is two matrices; the convolutional one is squashed only on demand."""

import torch

from genimg_course.models import Autoencoder, LinearAutoencoder


def test_the_linear_autoencoder_multiplies_by_two_matrices():
    torch.manual_seed(0)
    model, x = LinearAutoencoder(6, 2), torch.randn(5, 6)
    encoder, decoder = model.encoder.weight, model.decoder.weight
    assert (encoder.shape, decoder.shape, model.latent_dim) == ((2, 6), (6, 2), 2)
    torch.testing.assert_close(model(x), x @ encoder.T @ decoder.T)
    assert len(list(model.parameters())) == 2


def test_the_linear_autoencoder_starts_with_perpendicular_directions():
    model = LinearAutoencoder(6, 2)
    torch.testing.assert_close(model.encoder.weight @ model.encoder.weight.T, torch.eye(2))
    torch.testing.assert_close(model.decoder.weight.T @ model.decoder.weight, torch.eye(2))


def test_only_a_squashed_output_stays_in_range():
    torch.manual_seed(0)
    x = torch.rand(3, 1, 16, 16) * 2 - 1
    free, squashed = (Autoencoder(4, width=4, squash=squash) for squash in (False, True))
    squashed.load_state_dict(free.state_dict())
    for model in (free, squashed):
        torch.nn.init.constant_(model.decoder.pixels.bias, 3.0)
    assert free(x).max() > 1
    torch.testing.assert_close(squashed(x), torch.tanh(free(x)))
