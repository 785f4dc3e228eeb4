import ast
import hashlib
import json
from pathlib import Path

import pytest
import torch
from torch import nn

import genimg_course.models
from genimg_course.models import (
    CVAE,
    VAE,
    Autoencoder,
    Classifier,
    ConditionalGenerator,
    Decoder,
    Discriminator,
    Encoder,
    Generator,
    ProjectionDiscriminator,
    logits_to_images,
)
from genimg_course.models.blocks import down_stack, grid_of
from genimg_course.models.weights import load_weights, save_weights

B, Z, K, W = 3, 5, 4, 4
Y = torch.tensor([0, 3, 1])


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def pictures(size=16, channels=1, batch=B):
    return torch.rand(batch, channels, size, size) * 2 - 1


# --- every family: shapes, sizes, gradients


def families(size, channels, width=W):
    """Each network of the course with inputs for it and the shapes it must return."""
    kw = {"channels": channels, "width": width}
    x, z, image, code = (
        pictures(size, channels),
        torch.randn(B, Z),
        (B, channels, size, size),
        (B, Z),
    )
    return {
        "encoder": (Encoder(7, size, **kw), (x,), [(B, 7)]),
        "decoder": (Decoder(Z, size, **kw), (z,), [image]),
        "autoencoder": (Autoencoder(Z, size, **kw), (x,), [image]),
        "vae": (VAE(Z, size, **kw), (x,), [image, code, code]),
        "cvae": (CVAE(Z, size, classes=K, **kw), (x, Y), [image, code, code]),
        "generator": (Generator(Z, size, **kw), (z,), [image]),
        "discriminator": (Discriminator(size, **kw), (x,), [(B,)]),
        "conditional": (ConditionalGenerator(Z, size, classes=K, **kw), (z, Y), [image]),
        "projection": (ProjectionDiscriminator(size, classes=K, **kw), (x, Y), [(B,)]),
        "classifier": (Classifier(K, **kw), (x,), [(B, K)]),
    }


NAMES = list(families(16, 1))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [16, 28, 32, 64])
def test_every_family_returns_its_shapes(size, channels):
    for name, (network, inputs, shapes) in families(size, channels).items():
        outputs = network(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        assert [tuple(o.shape) for o in outputs] == shapes, name
        assert all(o.dtype == torch.float32 and o.isfinite().all() for o in outputs), name


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_of_a_network_is_used(name):
    network, inputs, _ = families(28, 1)[name]
    outputs = network(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    sum(o.square().sum() for o in outputs).backward()
    assert [n for n, p in network.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_image_of_a_batch_gets_an_answer_of_its_own(name):
    network, inputs, _ = families(16, 1, width=16)[name]  # few ReLUs may all be dead
    outputs = network.eval()(*inputs)
    first = outputs[0] if isinstance(outputs, tuple) else outputs
    assert (first[0] - first[1]).abs().max() > 1e-6


# --- the size rule


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        (8, (4, 1)),
        (12, (6, 1)),
        (14, (7, 1)),
        (16, (4, 2)),
        (28, (7, 2)),
        (32, (4, 3)),
        (56, (7, 3)),
        (64, (4, 4)),
        (128, (4, 5)),
    ],
)
def test_sizes_that_can_be_halved_have_a_grid(size, grid):
    assert grid_of(size) == grid
    assert grid[0] * 2 ** grid[1] == size


@pytest.mark.parametrize("size", [30, 36, 100, 17, 7, 4, 0, -16])
@pytest.mark.parametrize("network", [Autoencoder, VAE, CVAE, Generator, ConditionalGenerator])
def test_other_sizes_are_refused(network, size):
    with pytest.raises(ValueError) as error:
        network(Z, size, width=W)
    assert f"size is {size}:" in str(error.value)


@pytest.mark.parametrize("network", [Discriminator, ProjectionDiscriminator])
def test_discriminators_refuse_the_same_sizes(network):
    with pytest.raises(ValueError, match="size is 30:"):
        network(30, width=W)


def test_stacks_end_with_the_grid_and_never_have_more_than_eight_times_the_width():
    for size in (16, 64, 128):
        side, doublings = grid_of(size)
        stack, deep = down_stack(1, 2, doublings, activation=nn.ReLU)
        assert stack(pictures(size)).shape == (B, deep, side, side)
        assert deep == 2 * min(2 ** (doublings - 1), 8)


# --- autoencoder and VAE


@pytest.mark.parametrize("ink", [-40.0, 40.0])
@pytest.mark.parametrize("name", ["autoencoder", "generator", "conditional"])
def test_pictures_never_leave_the_range_of_images(name, ink):
    network, inputs, image = families(16, 1)[name]
    pixels = next(m for n, m in network.named_modules() if n.endswith("pixels"))
    pixels.bias.data.fill_(ink)
    torch.testing.assert_close(network(*inputs), torch.full(image[0], ink).sign())


def test_autoencoder_answers_the_same_twice():
    network, x = Autoencoder(Z, width=W), pictures()
    torch.testing.assert_close(network(x), network(x))


def test_vae_decodes_a_fresh_sample_of_its_own_posterior():
    network, x = VAE(Z, width=W), pictures()
    torch.manual_seed(1)
    logits, mu, logvar = network(x)
    torch.manual_seed(1)
    z = mu + (0.5 * logvar).exp() * torch.randn(B, Z)
    torch.testing.assert_close(logits, network.decode(z))
    torch.testing.assert_close((mu, logvar), network.encode(x))
    assert (network(x)[0] - logits).abs().max() > 1e-6


def test_cvae_decodes_a_fresh_sample_with_the_label():
    network, x = CVAE(Z, classes=K, width=W), pictures()
    torch.manual_seed(1)
    logits, mu, logvar = network(x, Y)
    torch.manual_seed(1)
    z = mu + (0.5 * logvar).exp() * torch.randn(B, Z)
    torch.testing.assert_close(logits, network.decode(z, Y))
    torch.testing.assert_close((mu, logvar), network.encode(x, Y))


def test_vae_reads_mu_from_the_first_half_of_the_encoder():
    network = VAE(2, width=W)
    network.encoder.head[-1].weight.data.zero_()
    network.encoder.head[-1].bias.data = torch.tensor([1.0, 2.0, 3.0, 4.0])
    mu, logvar = network.encode(pictures(batch=1))
    assert (mu.tolist(), logvar.tolist()) == ([[1, 2]], [[3, 4]])


def test_vae_logits_are_not_squashed():
    network = VAE(Z, width=W)
    network.decoder.pixels.bias.data.fill_(40.0)
    assert network(pictures())[0].min() > 30


def test_cvae_shows_the_label_to_the_encoder_and_to_the_decoder():
    network, x, z = CVAE(Z, classes=K, width=W), pictures(), torch.randn(B, Z)
    other = (Y + 1) % K
    assert (network.encode(x, Y)[0] - network.encode(x, other)[0]).abs().min() > 1e-6
    assert (network.decode(z, Y) - network.decode(z, other)).abs().max() > 1e-4


def test_cvae_encoder_sees_one_plane_of_ones_for_the_class():
    network, x = CVAE(Z, classes=K, width=W), pictures()
    planes = torch.zeros(B, K, 16, 16)
    for i, y in enumerate(Y):
        planes[i, y] = 1
    expected = network.encoder(torch.cat([x, planes], dim=1))
    torch.testing.assert_close(torch.cat(network.encode(x, Y), dim=1), expected)


def test_logits_to_images_is_the_expected_ink_in_the_range_of_images():
    logits = torch.linspace(-20, 20, 81, dtype=torch.float64)
    torch.testing.assert_close(logits_to_images(logits), 2 * logits.sigmoid() - 1)


# --- GAN and cGAN


DISCRIMINATORS = [
    (lambda: Discriminator(width=W), ()),
    (lambda: ProjectionDiscriminator(classes=K, width=W), (Y,)),
]


@pytest.mark.parametrize(("make", "labels"), DISCRIMINATORS)
@pytest.mark.parametrize("bias", [-50.0, 50.0])
def test_discriminators_return_logits_without_bounds(make, labels, bias):
    network = make()
    network.head.bias.data.fill_(bias)
    torch.testing.assert_close(
        network(pictures(), *labels), torch.full((B,), bias), atol=10, rtol=0
    )


@pytest.mark.parametrize(("make", "labels"), DISCRIMINATORS)
def test_discriminators_judge_each_image_alone(make, labels):
    network, x = make(), pictures()
    alone = torch.cat([network(x[i : i + 1], *[y[i : i + 1] for y in labels]) for i in range(B)])
    torch.testing.assert_close(network.train()(x, *labels), alone)
    assert not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in network.modules())


@pytest.mark.parametrize(("make", "labels"), DISCRIMINATORS)
def test_discriminators_leak_with_the_slope_of_dcgan(make, labels):
    network = make()
    slopes = {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}
    assert not any(isinstance(m, nn.ReLU) for m in network.modules())


def test_generator_normalises_every_layer_but_the_last():
    network = Generator(Z, 64, width=W)
    assert sum(isinstance(m, nn.BatchNorm2d) for m in network.modules()) == 5
    assert isinstance(network.pixels, nn.Conv2d)


def test_conditional_generator_is_a_generator_of_code_and_class_vector():
    network, z = ConditionalGenerator(Z, classes=K, width=W).eval(), torch.randn(B, Z)
    joined = torch.cat([z, network.class_vectors.weight[Y]], dim=1)
    torch.testing.assert_close(network(z, Y), network.generator(joined))


def test_the_label_changes_the_picture_and_the_verdict():
    z, other = torch.randn(B, Z), (Y + 1) % K
    generator = ConditionalGenerator(Z, classes=K, width=16).eval()
    assert (generator(z, Y) - generator(z, other)).abs().max() > 1e-3
    discriminator, x = ProjectionDiscriminator(classes=K, width=W), pictures()
    assert (discriminator(x, Y) - discriminator(x, other)).abs().min() > 1e-6


def test_projection_discriminator_is_the_written_formula():
    network, x = ProjectionDiscriminator(classes=K, width=W), pictures()
    phi = network.features(x)
    projection = torch.stack([phi[i] @ network.class_vectors.weight[Y[i]] for i in range(B)])
    torch.testing.assert_close(network(x, Y), network.head(phi)[:, 0] + projection)


CONDITIONAL = [
    lambda y: CVAE(Z, classes=K, width=W).encode(pictures(), y),
    lambda y: CVAE(Z, classes=K, width=W).decode(torch.zeros(B, Z), y),
    lambda y: CVAE(Z, classes=K, width=W)(pictures(), y),
    lambda y: ConditionalGenerator(Z, classes=K, width=W)(torch.zeros(B, Z), y),
    lambda y: ProjectionDiscriminator(classes=K, width=W)(pictures(), y),
]


@pytest.mark.parametrize("call", CONDITIONAL)
@pytest.mark.parametrize(
    ("y", "named"),
    [
        ([0, 1, 4], "[0, 4]"),
        ([0, -1, 2], "[-1, 2]"),
        ([0, 1], "2 labels for 3"),
        ([0.0, 1.0, 2.0], "float32"),
        ([True, False, True], "bool"),
    ],
)
def test_labels_out_of_place_are_named(call, y, named):
    with pytest.raises(ValueError) as error:
        call(torch.tensor(y))
    assert named in str(error.value)


# --- classifier


def test_classifier_logits_are_a_linear_map_of_its_features():
    network, x = Classifier(K, width=W, features=6).eval(), pictures(28)
    features = network.features(x)
    assert features.shape == (B, 6) and features.min() >= 0
    torch.testing.assert_close(network(x), features @ network.head.weight.T + network.head.bias)


# --- what networks must not know


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", sorted(Path(genimg_course.models.__file__).parent.glob("*.py")))
def test_networks_know_no_loss_optimiser_or_data(path):
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("genimg_course.")}
    assert ours <= {"maths", "models", "_checks", "files"}
    assert not any("optim" in name or "loss" in name.lower() for name in imports(path))


# --- weights that come with the course


def test_weights_survive_a_round_trip_with_a_card(tmp_path):
    network, again = Classifier(K, width=W), Classifier(K, width=W)
    network(pictures(28))  # moves the statistics of the batch normalisation
    save_weights(network, tmp_path / "new" / "judge", {"seed": 3})
    assert load_weights(again, tmp_path / "new" / "judge") is again
    torch.testing.assert_close(dict(again.state_dict()), dict(network.state_dict()), atol=0, rtol=0)
    card = json.loads((tmp_path / "new" / "judge.json").read_text())
    data = (tmp_path / "new" / "judge.safetensors").read_bytes()
    assert card == {"seed": 3, "sha256": hashlib.sha256(data).hexdigest()}


def flip_last_bit(path):
    data = bytearray(path.with_suffix(".safetensors").read_bytes())
    data[-1] ^= 1
    path.with_suffix(".safetensors").write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (flip_last_bit, "judge.safetensors was altered"),
        (lambda path: path.with_suffix(".safetensors").unlink(), "judge.safetensors is missing"),
        (lambda path: path.with_suffix(".json").unlink(), "judge.json is missing"),
        (lambda path: path.with_suffix(".json").write_text('{"seed": 3'), "judge.json"),
        (lambda path: path.with_suffix(".json").write_text('{"seed": 3}'), "judge.json"),
        (
            lambda path: save_weights(Classifier(K + 1, width=W), path, {}),
            "head.bias: network (4,)",
        ),
    ],
)
def test_damaged_or_foreign_weights_are_refused(tmp_path, damage, named):
    path, network = tmp_path / "judge", Classifier(K, width=W)
    save_weights(network, path, {"seed": 3})
    damage(path)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(ValueError) as error:
        load_weights(network, path)
    assert named in str(error.value)
    torch.testing.assert_close(dict(network.state_dict()), before, atol=0, rtol=0)
