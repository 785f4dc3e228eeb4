"""The live pages: what they are told about the networks, their still pictures, and their cards."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from book_graphs import GRAPHS, RUNTIME, export, unpack_runtime
from book_plain import write_plain
from PIL import Image
from torch import Tensor

from genimg_course.data import load, to_model_range
from genimg_course.maths.gaussians import gaussian_kl
from genimg_course.maths.interpolation import lerp, slerp
from genimg_course.metrics import load_judge
from genimg_course.models import logits_to_images
from genimg_course.models.certified import certificate, certified

__all__ = ["complete_live_pages", "stills", "write_models"]

Facts = dict[str, Any]

_CARD_MARK = re.compile(r"^<!-- runs: *(.*?) *-->$", re.MULTILINE)
_MEASURES = {
    "negative_elbo": "negative ELBO {:.2f} nats",
    "conditional_accuracy": "conditional accuracy {:.2%}",
    "frechet_distance": "Fréchet distance {:.2f}",
    "squared_error": "squared error {:.2f} a picture",
}


def complete_live_pages(source: Path) -> None:
    """Make everything that the live pages of a book's source need and do not bring along.

    Args:
        source: the tree that Sphinx reads, with ``live/*.md`` and ``_assets``.
    """
    unpack_runtime(source / "_assets" / "vendor" / "onnxruntime")
    facts = write_models(source / "_assets" / "live" / "models")
    folder = source / "live" / "stills"
    folder.mkdir(exist_ok=True)
    for name, picture in stills(facts).items():
        picture.save(folder / f"{name}.png", optimize=True)
    for page in sorted((source / "live").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        text = _CARD_MARK.sub(lambda mark: _card(mark[1].split(), facts), text)
        page.write_text(text, encoding="utf-8")


def write_models(folder: Path) -> Facts:
    """Write every graph, and beside them ``facts.json``, which is also returned.

    The start page's network comes as plain numbers as well, ``cgan.json``. The facts are each
    graph's size and digest, the nats that each latent of the VAE carries, and a few digits to begin
    with, in fonts that no network has learned from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, graph in GRAPHS.items():
        data = export(graph)
        (folder / f"{name}.onnx").write_bytes(data)
        digest = hashlib.sha256(data)
        files[name] = {
            "bytes": len(data),
            "sha256": digest.hexdigest(),
            # the form in which a browser wants it
            "integrity": f"sha256-{base64.b64encode(digest.digest()).decode()}",
        }
    write_plain(certified("cgan"), folder / "cgan.json")
    facts = {"files": files, "nats": _nats(), "examples": _examples()}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    return facts


def _nats() -> list[float]:
    """Return what each latent of the VAE costs, mean over digits of the validation set."""
    seen = load("glyphs", size=16, split="validation", count=2000)
    mu, logvar = certified("vae").encode(to_model_range(seen.images))
    each = [gaussian_kl(m, v) for m, v in zip(mu.split(1, 1), logvar.split(1, 1), strict=True)]
    return [round(float(kl.mean()), 4) for kl in each]


def _examples(rows: int = 2) -> Facts:
    """Return each digit in a few held-out fonts: labels, bytes in base64, and codes of the VAE."""
    test = load("glyphs", size=16, split="test", count=200)
    assert test.labels is not None  # digits have classes
    of_class = [(test.labels == digit).nonzero().flatten() for digit in range(10)]
    chosen = torch.stack([places[:rows] for places in of_class], dim=1).flatten()
    images = test.images[chosen]
    codes, _ = certified("vae").encode(to_model_range(images))
    return {
        "digits": test.labels[chosen].tolist(),
        "pixels": base64.b64encode(images.numpy().tobytes()).decode(),
        "codes": [[round(value, 4) for value in code] for code in codes.tolist()],
    }


def stills(facts: Facts) -> Mapping[str, Image.Image]:
    """Draw what each page shows where scripts are off, by the page's name; start is the first."""
    return {
        "ask_for_a_digit": _tiles(_classes(rows=6), columns=10),
        "between_two_codes": _tiles(_ways(facts, steps=9), columns=9),
        "draw_and_denoise": _tiles(_denoised(facts, sigma=0.4), columns=10),
        "latent_plane": _tiles(_plane(facts, steps=13), columns=13),
        "start": _tiles(_classes(rows=4), columns=10),
    }


def _classes(*, rows: int) -> Tensor:
    """Draw every digit from the same few noises, a column a digit."""
    generator = certified("cgan")
    noise = torch.randn(rows, generator.latent_dim, generator=torch.Generator().manual_seed(0))
    z, y = noise.repeat_interleave(10, dim=0), torch.arange(10).repeat(rows)
    return generator(z, y)


def _ways(facts: Facts, *, steps: int) -> Tensor:
    """Decode the straight line and the great circle from the first example to the second."""
    a, b = torch.tensor(facts["examples"]["codes"])[:2].split(1)
    places = torch.linspace(0, 1, steps).tolist()
    z = torch.cat([way(a, b, t) for way in (lerp, slerp) for t in places])
    return logits_to_images(certified("vae").decode(z))


def _denoised(facts: Facts, *, sigma: float) -> Tensor:
    """Stack ten examples, the same with noise, and what the autoencoder rebuilds from those."""
    pixels = bytearray(base64.b64decode(facts["examples"]["pixels"]))
    x = to_model_range(torch.frombuffer(pixels, dtype=torch.uint8).view(-1, 1, 16, 16)[:10])
    noisy = x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    return torch.cat([x, noisy, certified("ae")(noisy)])


def _plane(facts: Facts, *, steps: int) -> Tensor:
    """Decode a grid over the two latents that carry most nats, from -3 to 3, the rest at zero."""
    vae, nats = certified("vae"), facts["nats"]
    across, up = sorted(range(len(nats)), key=lambda k: -nats[k])[:2]
    values = torch.linspace(-3, 3, steps)
    z = torch.zeros(steps, steps, vae.latent_dim)
    z[:, :, across], z[:, :, up] = values[None, :], values.flip(0)[:, None]
    return logits_to_images(vae.decode(z.flatten(0, 1)))


def _tiles(x: Tensor, *, columns: int, zoom: int = 2) -> Image.Image:
    """Lay pictures ``(B, 1, H, W)`` out in rows, each pixel ``zoom`` wide."""
    height, width = x.shape[2:]
    rows = x[:, 0].unflatten(0, (-1, columns)).transpose(1, 2)  # (rows, H, columns, W)
    grey = ((rows.reshape(-1, columns * width) + 1) * 127.5).round().clamp(0, 255).byte()
    image = Image.fromarray(grey.numpy())
    size = (image.width * zoom, len(x) // columns * height * zoom)
    return image.resize(size, Image.Resampling.NEAREST)


def _card(names: list[str], facts: Facts) -> str:
    """Return the box that says what a page runs: each network, then its files."""
    lines = [":::{dropdown} What runs here, in numbers", ""]
    for network in dict.fromkeys(GRAPHS[name].network for name in names):
        lines.append(f"- {_described(network)}")
        for name in names:
            if GRAPHS[name].network == network:
                file = facts["files"][name]
                size = f"{file['bytes'] / 1000:.0f} kB"
                lines.append(f"  - `{name}.onnx`, {size}, sha256 `{file['sha256']}`")
    lines += [
        "",
        "Each graph is compared with PyTorch: no number differs by more than 0.0001. Your browser "
        "checks the sha256 and runs the graph on one thread, with onnxruntime-web "
        f"{RUNTIME.version} (Microsoft, MIT licence, 14 MB). Nothing you do here leaves your "
        "machine.",
        ":::",
    ]
    return "\n".join(lines)


def _described(network: str) -> str:
    if network == "judge":
        right = load_judge("glyphs", 16).card["metrics"]["test_accuracy"]["value"]
        return f"**The judge**, which reads digits: right on {right:.1%} of the test pictures."
    card = certificate(network)
    measured = [
        text.format(card["metrics"][name]["value"])
        for name, text in _MEASURES.items()
        if name in card["metrics"]
    ]
    return (
        f"**`{card['network']['class']}`**: {', '.join(measured)}. Trained for {card['steps']} "
        f"steps with `{card['command']}`."
    )
