import pytest
import torch
from torch import nn

from genimg_course.models import RULES, Discriminator, Generator, broken_rules, size_rule
from genimg_course.models.blocks import grid_of


@pytest.mark.parametrize("size", [16, 28, 32, 48, 64, 96])
def test_the_plan_is_that_of_the_models(size):
    plan = size_rule(size)
    assert (plan["side"], plan["doublings"]) == grid_of(size)


@pytest.mark.parametrize("kernel", [2, 3, 4, 5, 6, 7])
def test_a_layer_with_this_padding_doubles_exactly(kernel):
    plan = size_rule(28, kernel_size=kernel)
    options = {name: plan[name] for name in ("padding", "output_padding")}
    layer = nn.ConvTranspose2d(1, 1, kernel_size=kernel, stride=2, **options)
    assert layer(torch.zeros(1, 1, 7, 7)).shape[-2:] == (14, 14)


@pytest.mark.parametrize("size, options", [(30, {}), (22, {}), (28, {"kernel_size": 1})])
def test_sizes_without_a_plan_are_refused(size, options):
    with pytest.raises(ValueError, match=r"side of|kernel_size is 1"):
        size_rule(size, **options)


def test_the_courses_networks_are_named_for_what_they_do():
    found = broken_rules(Discriminator(), role="discriminator")
    assert {rule for rule, count in found.items() if count} == {"dense"}
    generator = nn.Sequential(Generator(width=4), nn.Tanh())
    assert not any(broken_rules(generator, role="generator").values())


def test_every_rule_can_be_broken():
    layers = [nn.BatchNorm2d(1), nn.Conv2d(1, 1, 3), nn.MaxPool2d(2), nn.LeakyReLU(), nn.ELU()]
    layers += [nn.Linear(1, 1), nn.Linear(1, 1), nn.Sigmoid()]
    found = broken_rules(nn.Sequential(*layers), role="discriminator", beta1=0.9)
    assert found.keys() == RULES.keys()
    assert set(found.values()) == {1}


def test_a_network_of_one_layer_is_all_edge():
    layers = nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1)
    assert broken_rules(nn.Sequential(*layers), role="discriminator")["edge_norm"] == 1


def test_other_roles_and_empty_networks_are_refused():
    with pytest.raises(ValueError, match="role is 'critic'"):
        broken_rules(Discriminator(), role="critic")
    with pytest.raises(ValueError, match="no convolution"):
        broken_rules(nn.ReLU(), role="generator")
