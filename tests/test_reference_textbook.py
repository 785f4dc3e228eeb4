"""The textbook loop: the same algorithm as the course's steps, and no slower than it must be."""

import pytest
import torch
from torch.testing import assert_close

from genimg_course.data import Card, ImageSet
from genimg_course.losses import discriminator_loss, generator_loss, negative_elbo
from genimg_course.reference import textbook
from genimg_course.reference.textbook import BENCHED, build_networks, textbook_loop


def pictures(count=10, size=16, channels=1, labels=True):
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, channels, size, size), generator=rng).to(torch.uint8)
    card = Card("noise", "Noise", "CC0", "this test", (channels, size, size), tuple("0123456789"))
    return ImageSet(images, torch.arange(count) % 10 if labels else None, card)


@pytest.mark.parametrize("family", BENCHED)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_picture_of_an_epoch_comes_once(family, channels):
    torch.manual_seed(0)
    loop = textbook_loop(family, pictures(channels=channels), batch_size=4)
    assert [next(loop) for _ in range(6)] == [4, 4, 2, 4, 4, 2]


def test_the_pictures_reach_the_networks_with_the_right_values():
    images = pictures(count=3)
    for centred, expected in (
        (True, images.images.float() / 127.5 - 1),
        (False, images.images.float() / 255),
    ):
        dataset = textbook._Pictures(images, centred=centred)
        seen = torch.stack([dataset[i][0] for i in range(3)])
        assert_close(seen, expected)
        assert [dataset[i][1] for i in range(3)] == [0, 1, 2]


def test_pictures_without_classes_get_the_label_zero():
    assert textbook._Pictures(pictures(count=2, labels=False), centred=True)[1][1] == 0


@pytest.mark.parametrize("family", ["gan", "cgan"])
def test_the_losses_of_a_game_are_those_of_the_course(family):
    torch.manual_seed(0)
    generator, discriminator = build_networks(family, 16, 1)
    still = [torch.optim.SGD(n.parameters(), lr=0.0) for n in (generator, discriminator)]
    x = torch.rand(4, 1, 16, 16) * 2 - 1
    y = (torch.arange(4),) if family == "cgan" else ()
    state = torch.get_rng_state()
    real, fake, game = textbook._game_step(generator, discriminator, *still, x, *y)
    torch.set_rng_state(state)
    logits = discriminator(generator(torch.randn(4, 32), *y), *y)
    assert real + fake == pytest.approx(
        discriminator_loss(discriminator(x, *y), logits).item(), rel=1e-5
    )
    assert game == pytest.approx(generator_loss(logits).item(), rel=1e-5)


def test_the_loss_of_the_vae_is_the_negative_elbo_of_the_batch():
    torch.manual_seed(0)
    (model,) = build_networks("mlp_vae", 16, 1)
    x = torch.rand(4, 1, 16, 16)
    state = torch.get_rng_state()
    loss = textbook._vae_step(model, torch.optim.SGD(model.parameters(), lr=0.0), x)
    torch.set_rng_state(state)
    # the textbook shows the network pixels in [0, 1]; the course's loss takes images in [-1, 1]
    expected = negative_elbo(2 * x - 1, *model(x))
    assert loss == pytest.approx(4 * expected.item(), rel=1e-5)


def test_an_unknown_family_is_refused():
    with pytest.raises(ValueError, match=r"'wgan'.*mlp_vae, vae, gan, cgan"):
        textbook_loop("wgan", pictures(), batch_size=2)
