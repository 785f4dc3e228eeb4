"""Fabric behind a small door: precision, placing, the optimiser, shared batch statistics."""

import builtins
import copy
import os
import platform
from types import SimpleNamespace

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.accelerators import cuda
from lightning_fabric.plugins import MixedPrecision
from torch import nn
from torch.optim import Adam

from genimg_course.models import Discriminator, Generator
from genimg_course.training import adam, batch_statistics, engine, gan_step, open_fabric, place
from genimg_course.training.batch_statistics import SharedBatchNorm2d, share_batch_statistics
from genimg_course.training.engine import has_bfloat16, seed_process

CPU = torch.device("cpu")


def pictures(count=6, size=8):
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


# --- opening


@pytest.mark.parametrize(
    ("known", "has"),
    [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx512_f": True}, False)],
)
def test_bfloat16_is_chosen_where_the_processor_has_instructions_for_it(monkeypatch, known, has):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    assert has_bfloat16(CPU) is has
    fabric = open_fabric(accelerator="cpu")
    assert fabric.strategy.precision.precision == ("bf16-mixed" if has else "32-true")


def test_a_gpu_is_asked_for_real_instructions_and_apple_keeps_32_bits(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert has_bfloat16(torch.device("cuda"))
    assert not has_bfloat16(torch.device("mps"))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"precision": "bf17"}, "'bf17': choose one of fp32, bf16, fp16"),
        ({"precision": "fp16"}, "'fp16' on a CPU"),
        ({"devices": 0}, "devices is 0"),
        ({"nodes": -1}, "nodes is -1"),
        ({"accelerator": "toaster"}, "'toaster'"),
    ],
)
def test_what_is_not_possible_here_is_said_in_a_sentence(options, named):
    with pytest.raises(ValueError) as error:
        open_fabric(**{"accelerator": "cpu"} | options)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def test_more_gpus_than_there_are_is_a_sentence_too(monkeypatch):
    monkeypatch.setattr(cuda, "num_cuda_devices", lambda: 1)
    monkeypatch.setattr(engine, "pick_device", lambda name: torch.device("cuda"))
    monkeypatch.setattr(engine, "has_bfloat16", lambda device: False)
    with pytest.raises(ValueError, match="4 processes on cuda are not possible here: ") as error:
        open_fabric(accelerator="cuda", devices=4)
    assert "\n" not in str(error.value)


def test_without_fabric_the_command_that_installs_it_is_named(monkeypatch):
    importer = builtins.__import__

    def without(name, *rest, **options):
        if name.startswith("lightning_fabric"):
            raise ImportError(name)
        return importer(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"pip install 'genimg_course\[train\]'"):
        open_fabric(accelerator="cpu")


def test_fabric_is_silent(capfd, recwarn):
    fabric = open_fabric(accelerator="cpu", precision="bf16")
    place(fabric, Generator(2, 8, width=2))(torch.zeros(2, 2))
    assert capfd.readouterr() == ("", "")
    assert [str(w.message) for w in recwarn] == []


def test_processes_of_one_machine_talk_inside_it(monkeypatch):
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "")
    monkeypatch.delenv("GLOO_SOCKET_IFNAME")
    monkeypatch.setattr(engine.socket, "if_nameindex", lambda: [(1, "en0"), (2, "lo0")])
    engine._talk_inside_this_machine()
    assert os.environ["GLOO_SOCKET_IFNAME"] == "lo0"


def test_each_process_gets_random_numbers_of_its_own():
    drawn = []
    for rank in (0, 1, 0):
        seed_process(SimpleNamespace(global_rank=rank), 5)
        drawn.append(torch.rand(3))
    assert torch.equal(drawn[0], drawn[2]) and not torch.equal(drawn[0], drawn[1])
    torch.manual_seed(5)
    assert torch.equal(torch.rand(3), drawn[0])  # one process is like a run without Fabric


# --- placing


@pytest.fixture
def fabric():
    return open_fabric(accelerator="cpu", precision="fp32")


def test_a_placed_network_is_the_network(fabric):
    network = Generator(3, 8, width=2)
    before = copy.deepcopy(network.state_dict())
    placed = place(fabric, network)
    assert placed.latent_dim == 3
    assert list(placed.state_dict()) == list(before)
    assert [id(p) for p in placed.parameters()] == [id(p) for p in network.parameters()]
    torch.testing.assert_close(network.state_dict(), before, atol=0, rtol=0, check_stride=False)
    assert network.pixels.weight.is_contiguous(memory_format=torch.channels_last)


def test_pictures_and_gradients_lie_in_memory_as_the_convolutions_want_them(fabric):
    generator, discriminator = Generator(3, 16, width=2), Discriminator(16, width=2, features=4)
    seen = {}
    generator.root[2].register_forward_pre_hook(lambda _, x: seen.update(pictures=x[0]))
    discriminator.features[0].register_full_backward_hook(lambda *x: seen.update(gradient=x[2][0]))
    g, d = place(fabric, generator), place(fabric, discriminator)
    d(g(torch.randn(5, 3))).sum().backward()
    assert set(seen) == {"pictures", "gradient"}
    for tensor in seen.values():
        assert tensor.is_contiguous(memory_format=torch.channels_last)
        assert not tensor.is_contiguous()


def test_an_input_that_is_no_picture_can_be_flattened_too(fabric):
    network = place(fabric, nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Unflatten(1, (2, 2))))
    x = torch.randn(3, 2, 3, requires_grad=True)
    network(x).sum().backward()
    assert x.grad.shape == x.shape


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about the memory of glibc")
def test_freed_memory_is_not_asked_for_again(fabric):
    import resource

    def faults():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        kept = [torch.ones(3_000_000) for _ in range(8)]
        del kept
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    # 96 MB are some 23,000 pages; an old process may have to find room for them first
    assert min(faults() for _ in range(5)) < 3000


def train_gan(fabric, updates=4):
    torch.manual_seed(0)
    g, d = Generator(2, 8, width=2), Discriminator(8, width=2, features=4)
    placed = [place(fabric, network) if fabric else network for network in (g, d)]
    optimizers = [adam(network, lr=1e-3, fabric=fabric) for network in placed]
    options = {"backward": fabric.backward} if fabric else {}
    losses = [
        gan_step(*placed, *optimizers, pictures(), gamma=0.5, **options) for _ in range(updates)
    ]
    return losses, g


def test_a_step_is_the_same_with_and_without_fabric(fabric):
    torch.testing.assert_close(train_gan(fabric)[0], train_gan(None)[0])


def test_bfloat16_carries_a_gan_with_a_gradient_penalty():
    losses, g = train_gan(open_fabric(accelerator="cpu", precision="bf16"))
    plain, _ = train_gan(None)
    for mixed, full in zip(losses, plain, strict=True):
        assert mixed["d_loss"].dtype == torch.float32
        assert mixed["d_loss"].item() == pytest.approx(full["d_loss"].item(), rel=0.02)
    assert all(p.dtype == torch.float32 for p in g.parameters())


def scaled(scale):
    """Return a fabric that trains in fp16 on the CPU, which only a test would do."""
    scaler = torch.amp.GradScaler("cpu", init_scale=scale)
    fabric = Fabric(accelerator="cpu", plugins=MixedPrecision("16-mixed", "cpu", scaler))
    return fabric, scaler


def test_fp16_losses_are_scaled_and_the_scale_is_taken_away_again():
    fabric, scaler = scaled(1024.0)
    losses, _ = train_gan(fabric)
    plain, _ = train_gan(None)
    for mixed, expected in zip(losses, plain, strict=True):
        assert mixed["g_loss"].item() == pytest.approx(expected["g_loss"].item(), rel=0.01)
    assert scaler.get_scale() == 1024.0


def test_an_fp16_update_that_overflows_is_skipped_and_the_scale_halved():
    fabric, scaler = scaled(1024.0)
    network = nn.Linear(2, 1)
    placed = place(fabric, network)
    optimizer = adam(placed, lr=0.1, fabric=fabric)
    before = copy.deepcopy(network.state_dict())
    fabric.backward(placed(torch.ones(1, 2)).sum() * 1e38)
    optimizer.step()
    torch.testing.assert_close(network.state_dict(), before, atol=0, rtol=0)
    assert scaler.get_scale() == 512.0
    optimizer.zero_grad()
    fabric.backward(placed(torch.ones(1, 2)).sum())
    optimizer.step()
    assert (before["weight"] - network.weight).min().item() == pytest.approx(0.1, abs=1e-4)


# --- the optimiser


def descend(make, updates=20):
    torch.manual_seed(0)
    # no batch normalisation: a bias before one has no gradient but rounding, which Adam enlarges
    network = Discriminator(8, width=2, features=4)
    optimizer = make(network)
    for _ in range(updates):
        optimizer.zero_grad()
        (network(torch.randn(4, 1, 8, 8)) - 1).square().mean().backward()
        optimizer.step()
    return network.state_dict()


def test_the_fused_optimiser_is_adam_and_repeats_bit_for_bit():
    fused, again = (descend(lambda net: adam(net, lr=1e-3, betas=(0.5, 0.99))) for _ in range(2))
    plain = descend(lambda net: Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.99)))
    torch.testing.assert_close(fused, plain, atol=1e-6, rtol=0)
    torch.testing.assert_close(fused, again, atol=0, rtol=0)
    assert adam(nn.Linear(1, 1), lr=1.0).defaults["fused"]


# --- shared batch statistics


@pytest.fixture
def alone(monkeypatch):
    """One process, in which a sum over processes is the value itself."""
    monkeypatch.setattr(batch_statistics, "sum_over_processes", lambda x: x)
    monkeypatch.setattr(batch_statistics.dist, "get_world_size", lambda: 1)


@pytest.mark.parametrize("options", [{}, {"momentum": None}, {"affine": False}, {"eps": 0.1}])
@pytest.mark.parametrize("far", [0.0, 1000.0])
def test_one_process_gets_torchs_own_batch_normalisation(alone, options, far):
    torch.manual_seed(0)
    expected = nn.BatchNorm2d(3, **options).double()
    if expected.affine:
        nn.init.normal_(expected.weight)
        nn.init.normal_(expected.bias)
    shared = share_batch_statistics(nn.Sequential(copy.deepcopy(expected)))[0]
    assert type(shared) is SharedBatchNorm2d
    for _ in range(3):
        x = (far + torch.randn(4, 3, 5, 2)).double()
        up = torch.randn(4, 3, 5, 2).double()
        mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
        out, known = shared(mine), expected(theirs)
        torch.testing.assert_close(out, known, rtol=1e-7, atol=1e-7)
        (out * up).sum().backward()
        (known * up).sum().backward()
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(shared.state_dict(), expected.state_dict(), rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(shared.eval()(x), expected.eval()(x))


def test_sixteen_bit_images_are_normalised_with_32_bit_statistics(alone):
    x = (100 + torch.randn(8, 1, 16, 16)).bfloat16()
    out = SharedBatchNorm2d(1)(x)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out, nn.BatchNorm2d(1)(x.float()).bfloat16())


def test_sharing_keeps_the_parameters_an_optimiser_already_holds():
    network = Generator(2, 8, width=2)
    before = [*network.parameters(), *network.buffers()]
    assert share_batch_statistics(network) is network
    after = [*network.parameters(), *network.buffers()]
    assert all(a is b for a, b in zip(before, after, strict=True))
    assert not any(type(layer) is nn.BatchNorm2d for layer in network.modules())
