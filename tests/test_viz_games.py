"""The diagrams of the games show what the training steps cut off and what they update."""

import re

import pytest
import torch
from gradient_watch import Watch, check
from torch import nn

from genimg_course.models import (
    ConditionalGenerator,
    Discriminator,
    Generator,
    ProjectionDiscriminator,
)
from genimg_course.training import gan_step, wgan_gp_step
from genimg_course.viz import games

X = torch.rand(4, 1, 16, 16) * 2 - 1
Y = torch.arange(4)


def play(step, generator, judge, *inputs, name, **options):
    """Return what each backward pass of a round reached."""
    watch = Watch(**{"G": generator, name: judge})
    optimizers = [torch.optim.SGD(n.parameters(), lr=0.1) for n in (generator, judge)]
    step(generator, judge, *optimizers, *inputs, backward=watch.backward, **options)
    return watch.passes


@pytest.mark.parametrize(
    "flows, generator, discriminator, inputs",
    [
        (games.GAN, Generator, Discriminator, (X,)),
        (games.CGAN, ConditionalGenerator, ProjectionDiscriminator, (X, Y)),
    ],
)
def test_each_step_updates_one_player_and_only_the_second_lets_the_fake_have_a_gradient(
    flows, generator, discriminator, inputs
):
    passes = play(gan_step, generator(width=4), discriminator(width=4), *inputs, name="D")
    for flow, reached in zip(flows, passes, strict=True):
        check(flow, reached, {"fake": "out of G"})
    first, second = ({e.target for e in flow.edges if e.source == "fake"} for flow in flows)
    assert first == {"detach"} and second == {"D"}


def test_both_networks_of_a_conditional_gan_see_the_class():
    for flow in games.CGAN:
        assert {edge.target for edge in flow.edges if edge.source == "y"} == {"G", "D"}


def test_the_critic_has_five_steps_on_fakes_without_gradient():
    def score():
        return nn.Sequential(nn.Flatten(), nn.Linear(256, 8), nn.ReLU(), nn.Linear(8, 1))

    generator, critic = Generator(width=4), score().append(nn.Flatten(0))
    *critics, last = play(
        wgan_gp_step, generator, critic, X.repeat(5, 1, 1, 1), name="C", critic_steps=5
    )
    first, second = games.WGAN_GP
    assert len(critics) == 5 and "Five" in first.heading
    for reached in critics:
        check(first, reached, {"mixed": "into C"})
        assert "out of G" not in reached and "fake" not in first.with_gradient
    check(second, last, {"fake": "out of G"})


def sizes(network, x):
    """Return what leaves each layer with weights, as the diagram writes it."""
    found = []

    def note(module, given, result):
        found.append(" x ".join(map(str, result.shape[1:])))

    for module in network.modules():
        if isinstance(module, (nn.Unflatten, nn.Conv2d, nn.ConvTranspose2d)):
            module.register_forward_hook(note)
    network(x)
    return found


def test_the_layers_of_the_dcgan_have_the_sizes_of_the_diagram():
    drawn = {name: node.text.splitlines()[-1] for name, node in games.DCGAN.nodes.items()}
    made = sizes(Generator(), torch.randn(2, int(drawn["noise"])))
    assert made == [drawn[name] for name in ("G 4", "G 8", "G 16", "image")]
    judged = sizes(Discriminator(), torch.zeros(2, 1, 16, 16))
    assert judged == [drawn["D 8"], drawn["D 4"]]
    assert Discriminator()(torch.zeros(2, 1, 16, 16)).shape == (2,) and drawn["logit"] == "1"


def test_the_layers_of_the_dcgan_do_what_the_arrows_say():
    words = {"batch norm": nn.BatchNorm2d, "leaky ReLU": nn.LeakyReLU, "dense": nn.Linear}
    words |= {"transposed convolution": nn.ConvTranspose2d}
    for network, ends in ((Generator(), "G image"), (Discriminator(), "D logit")):
        arrows = [e.text for e in games.DCGAN.edges if e.target.split()[0] in ends.split()]
        for word, layer in words.items():
            count = sum(isinstance(module, layer) for module in network.modules())
            assert sum(len(re.findall(rf"\b{word}\b", text)) for text in arrows) == count, word
