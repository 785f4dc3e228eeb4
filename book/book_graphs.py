"""The course's trained networks as ONNX graphs, and the runtime that runs them in a browser."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from book_npm import Package, unpack
from torch import Tensor, nn

from genimg_course.metrics import load_judge
from genimg_course.models import logits_to_images
from genimg_course.models.certified import certified

__all__ = ["GRAPHS", "RUNTIME", "Graph", "export", "part", "unpack_runtime"]

RUNTIME = Package(
    "onnxruntime-web",
    "1.30.0",
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
)
# all that one thread needs, of 130 MB
_RUNTIME_PARTS = {
    "dist/ort.wasm.bundle.min.mjs": "ort.mjs",
    "dist/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
}


@dataclass(frozen=True)
class Graph:
    """Describe a graph: a trained network, a way through it, and how its ends are called.

    Args:
        network: name of a trained network of the course, or ``"judge"``.
        way: computes the outputs from the network and the inputs, in the order below.
        inputs: name of each input to an example of it, two rows high.
        outputs: names of the outputs.
    """

    network: str
    way: Callable[..., Any]
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


def _draw_class(network: Any, z: Tensor, y: Tensor) -> Tensor:
    # the network's own way checks its labels, which a graph cannot
    return network.generator(torch.cat([z, network.class_vectors(y)], dim=1))


def _look(network: Any, x: Tensor) -> Tensor:
    return network(x).softmax(dim=1)


def _decode_vae(network: Any, z: Tensor) -> Tensor:
    return logits_to_images(network.decode(z))


_PICTURES = {"x": torch.zeros(2, 1, 16, 16)}
_CODES = {"z": torch.zeros(2, 16)}
_NOISE = {"z": torch.zeros(2, 32), "y": torch.zeros(2, dtype=torch.int64)}
GRAPHS = {
    "judge": Graph("judge", _look, _PICTURES, ("p",)),
    "vae_encoder": Graph("vae", lambda vae, x: vae.encode(x), _PICTURES, ("mu", "logvar")),
    "vae_decoder": Graph("vae", _decode_vae, _CODES, ("x",)),
    "cgan": Graph("cgan", _draw_class, _NOISE, ("x",)),
    "ae_encoder": Graph("ae", lambda ae, x: ae.encoder(x), _PICTURES, ("z",)),
    "ae_decoder": Graph("ae", lambda ae, z: ae.decoder(z), _CODES, ("x",)),
}


class _Part(nn.Module):
    def __init__(self, network: nn.Module, way: Callable[..., Any]) -> None:
        super().__init__()
        self.network, self.way = network, way

    def forward(self, *inputs: Tensor) -> Any:
        return self.way(self.network, *inputs)


def part(graph: Graph) -> nn.Module:
    """Return what a graph computes as a module of PyTorch, with its trained weights."""
    judged = graph.network == "judge"
    network = load_judge("glyphs", 16).network if judged else certified(graph.network)
    return _Part(network, graph.way).eval()


def export(graph: Graph) -> bytes:
    """Return a graph as an ONNX file that takes a batch of any size.

    The exporter notes where on this machine each step stands in the source. Those notes go: a
    reader has no use for them, and without them the same weights give the same bytes.
    """
    import onnx

    batch = torch.export.Dim("batch")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # about PyTorch's own internals
        program = torch.onnx.export(
            part(graph),
            tuple(graph.inputs.values()),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_shapes=(tuple({0: batch} for _ in graph.inputs),),
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # so it is with dynamo
    model = program.model_proto
    del model.metadata_props[:], model.graph.metadata_props[:], model.graph.value_info[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    _halve(model)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def _halve(model: Any) -> None:
    """Store weights in half precision where that loses nothing; a cast widens them again."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != "float32" or (values.astype("float16") != values).any():
            continue
        name, half = weight.name, f"{weight.name}.half"
        weight.CopyFrom(numpy_helper.from_array(values.astype("float16"), half))
        casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def unpack_runtime(folder: Path) -> bool:
    """Unpack what runs the graphs in a browser; say in a sentence where it is not to be had."""
    if unpack(RUNTIME, _RUNTIME_PARTS, folder):
        return True
    print("onnxruntime-web could not be fetched with npm: the live pages will stand still.")
    return False
