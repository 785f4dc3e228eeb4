"""The diagrams of encoders and decoders show what the training steps of the course do."""

import torch
from gradient_watch import Watch, check
from torch import nn

from genimg_course.models import CVAE, VAE
from genimg_course.training import autoencoder_step, denoising_step, vae_step
from genimg_course.viz import coders

X = torch.rand(4, 1, 16, 16) * 2 - 1
Y = torch.arange(4)
BETWEEN = {"x": "into encoder", "x_hat": "out of decoder", "z": "into decoder"}


def reached(step, model, watch, *inputs, **options):
    """Return what the backward pass of a step reached."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step(model, optimizer, *inputs, backward=watch.backward, **options)
    (only,) = watch.passes
    return only


def test_one_loss_reaches_both_halves_of_an_autoencoder():
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(256, 3))
    decoder = nn.Sequential(nn.Linear(3, 256), nn.Unflatten(1, (1, 16, 16)))
    watch = Watch(encoder=encoder, decoder=decoder)
    found = reached(autoencoder_step, nn.Sequential(encoder, decoder), watch, X)
    check(coders.AUTOENCODER, found, BETWEEN)


def test_a_denoiser_sees_noise_and_only_its_output_meets_the_clean_image():
    denoiser = nn.Conv2d(1, 1, kernel_size=1)
    seen = []
    denoiser.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    watch = Watch(denoiser=denoiser)
    found = reached(denoising_step, denoiser, watch, X, sigma=0.5)
    check(coders.DENOISER, found, {"noisy": "into denoiser", "x_hat": "out of denoiser"})
    assert 0.4 < float((seen[0] - X).std()) < 0.6
    arrows = {(edge.source, edge.target) for edge in coders.DENOISER.edges}
    assert ("noisy", "denoiser") in arrows and ("x", "denoiser") not in arrows


def test_in_a_vae_the_gradient_passes_through_the_code():
    model = VAE(latent_dim=3, size=16, width=4)
    watch = Watch(encoder=model.encoder, decoder=model.decoder)
    found = reached(vae_step, model, watch, X)
    check(coders.VAE, found, BETWEEN | {"code": "out of encoder"})


def test_the_kl_term_alone_reaches_the_encoder_and_not_the_decoder():
    backwards = {(e.target, e.source) for e in coders.VAE.edges if e.kind == "both"}
    assert ("kl", "code") in backwards and ("code", "encoder") in backwards
    assert not any(source == "kl" and target != "code" for source, target in backwards)


def test_in_a_conditional_vae_the_class_enters_both_networks():
    model = CVAE(latent_dim=3, size=16, classes=4, width=4)
    watch = Watch(encoder=model.encoder, decoder=model.decoder)
    seen = {}
    for name in ("encoder", "decoder"):
        getattr(model, name).register_forward_pre_hook(
            lambda module, given, name=name: seen.update({name: given[0].shape[1]})
        )
    found = reached(vae_step, model, watch, X, Y)
    check(coders.CVAE, found, BETWEEN | {"code": "out of encoder"})
    assert seen == {"encoder": 1 + 4, "decoder": 3 + 4}
    entered = {edge.target for edge in coders.CVAE.edges if edge.source == "y"}
    assert entered == {"encoder", "decoder"}
