"""Import torch, look at it and print what there is as JSON; run as a script by the doctor.

A process of its own, because a broken torch may end the process that imports it.
"""

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

__all__ = ["look", "matrix_pace"]


def look() -> dict[str, Any]:
    """Return facts about torch and its devices, and an ``error`` for each step that failed."""
    facts: dict[str, Any] = {"errors": {}}
    for step in (_import, _bridge, _vision, _devices, _pace):
        try:
            step(facts)
        except Exception as error:
            lines = str(error).strip().splitlines() or [""]
            facts["errors"][step.__name__.strip("_")] = f"{type(error).__name__}: {lines[0]}"
            if step is _import:
                break
    return facts


def _import(facts: dict[str, Any]) -> None:
    import torch

    facts["version"] = torch.__version__
    facts["cuda_build"] = torch.version.cuda
    facts["threads"] = torch.get_num_threads()


def _bridge(facts: dict[str, Any]) -> None:
    import torch

    torch.ones(2).numpy()  # fails where torch and NumPy were compiled for each other's past


def _vision(facts: dict[str, Any]) -> None:
    import torch
    from torchvision.ops import nms

    nms(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.ones(1), 0.5)  # needs the compiled half


def _devices(facts: dict[str, Any]) -> None:
    import warnings

    import torch

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        facts["cuda"] = torch.cuda.is_available()
    facts["cuda_warning"] = str(caught[0].message).strip().splitlines()[0] if caught else ""
    facts["mps"] = torch.backends.mps.is_available()
    facts["gpus"] = [
        {
            "name": torch.cuda.get_device_name(n),
            "memory": torch.cuda.get_device_properties(n).total_memory,
            "free": torch.cuda.mem_get_info(n)[0],
            "capability": ".".join(map(str, torch.cuda.get_device_capability(n))),
        }
        for n in range(torch.cuda.device_count() if facts["cuda"] else 0)
    ]


def _pace(facts: dict[str, Any]) -> None:
    import torch

    device = "cuda" if facts.get("cuda") else "mps" if facts.get("mps") else "cpu"
    side = 512 if device == "cpu" else 4096
    with torch.inference_mode():
        facts["pace"] = {
            str(kind).removeprefix("torch."): matrix_pace(side, kind, device)
            for kind in (torch.float32, torch.bfloat16)
        }


def matrix_pace(side: int, kind: Any, device: str) -> float:
    """Return how many operations a second a product of square matrices makes, the median of 7."""
    import torch

    finish: Callable[[], object] = {
        "cuda": torch.cuda.synchronize,
        "mps": torch.mps.synchronize,
    }.get(device, lambda: None)
    a = torch.ones(side, side, dtype=kind, device=device)
    times = []
    for _ in range(9):
        start = time.perf_counter()
        a @ a
        finish()
        times.append(time.perf_counter() - start)
    return 2 * side**3 / statistics.median(times[2:])


if __name__ == "__main__":
    print("\n" + json.dumps(look()))
