"""Write submissions of lesson 06: right, wrong and hostile answers in the course's own notebook.

The course's notebook is the frame. An answer is the text of a cell; hostile code stands in a helper
above the function, runs when the cell is executed and again at every call.
"""

import copy
import functools
import json
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = [
    "ANSWERS",
    "FILE",
    "LESSON",
    "RIGHT",
    "ROOT",
    "WRONG",
    "answer",
    "attacked",
    "cells",
    "exercise_of",
    "notebook",
    "save",
]

ROOT = Path(__file__).resolve().parents[2]
LESSON = "06"
FILE = "06_variational_autoencoder.ipynb"

_SIGNATURES = {
    "vae.bernoulli_nll": "bernoulli_nll(logits, target{})",
    "vae.gaussian_kl": "gaussian_kl(mu, logvar{})",
    "vae.reparameterise": "reparameterise(mu, logvar{})",
    "vae.score_function_gradient": "score_function_gradient(z, mu, *, baseline=0.0{})",
    "vae.negative_elbo": "negative_elbo(x, logits, mu, logvar, *, beta=1.0{})",
    "vae.step": "vae_step(model, optimizer, x, *, beta=1.0{})",
    "vae.importance_log_likelihood": "importance_log_likelihood(log_joint, log_q{})",
    "vae.elbo_forms": "elbo_forms(log_likelihood, log_prior, log_q, kl, entropy{})",
    "vae.effective_beta": (
        "effective_beta(beta, pixels, latent_dim, *, pixel_mean=False, latent_mean=False{})"
    ),
}

RIGHT = {
    "vae.bernoulli_nll": """
        each = torch.nn.functional.softplus(logits) - target * logits
        return each.flatten(1).sum(1)""",
    "vae.gaussian_kl": """
        return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(dim=1)""",
    "vae.reparameterise": """
        return mu + (0.5 * logvar).exp() * torch.randn_like(mu)""",
    "vae.score_function_gradient": """
        return (z.square() - baseline) * (z - mu)""",
    "vae.negative_elbo": """
        each = torch.nn.functional.softplus(logits) - (x + 1) / 2 * logits
        kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(dim=1)
        return (each.flatten(1).sum(1) + beta * kl).mean()""",
    "vae.step": """
        mu, logvar = model.encode(x)
        logits = model.decode(mu + (0.5 * logvar).exp() * torch.randn_like(mu))
        each = torch.nn.functional.softplus(logits) - (x + 1) / 2 * logits
        reconstruction = each.flatten(1).sum(1).mean()
        kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(dim=1).mean()
        loss = reconstruction + beta * kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return {
            "negative_elbo": loss.detach(),
            "reconstruction": reconstruction.detach(),
            "kl": kl.detach(),
        }""",
    "vae.importance_log_likelihood": """
        return torch.logsumexp(log_joint - log_q, dim=0) - torch.tensor(float(len(log_q))).log()""",
    "vae.elbo_forms": """
        log_joint = log_likelihood + log_prior
        return {
            "split": log_likelihood.mean(dim=0) - kl,
            "joint": log_joint.mean(dim=0) + entropy,
            "ratio": (log_joint - log_q).mean(dim=0),
        }""",
    "vae.effective_beta": """
        return beta * (pixels if pixel_mean else 1) / (latent_dim if latent_mean else 1)""",
}
"""Bodies of right answers that need no other exercise."""

WRONG = {
    "vae.bernoulli_nll": "return (0 * logits).flatten(1).sum(1)",
    "vae.gaussian_kl": "return (mu.square() + logvar.exp() - 1 - logvar).sum(dim=1)",
    "vae.reparameterise": "return mu + logvar.exp() * torch.randn_like(mu)",
    "vae.score_function_gradient": "return 0 * z",
    "vae.negative_elbo": "return 0 * logits.sum()",
    "vae.step": "return {}",
    "vae.importance_log_likelihood": "return (log_joint - log_q).mean(dim=0)",
    "vae.elbo_forms": 'return {"split": kl, "joint": kl, "ratio": kl}',
    "vae.effective_beta": "return beta",
}
"""Bodies of wrong answers of the right form, so that only a forged judgement accepts them."""


def answer(exercise: str, body: str, *, before: str = "", extra: str = "") -> str:
    """Return the text of an exercise cell.

    Args:
        exercise: its id.
        body: the body of the function, indented in any way.
        before: top-level code above the function.
        extra: one more parameter, ``"_x=..."``; its default runs when the cell is executed.
    """
    signature = _SIGNATURES[exercise]
    comma = ", " if "*" in signature else ", *, "
    head = signature.format(comma + extra if extra else "")
    lines = [f'@exercise("{exercise}")', f"def {head}:", _indented(body)]
    return "\n".join([textwrap.dedent(before).strip("\n"), *lines] if before else lines)


def _indented(body: str) -> str:
    return textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")


def attacked(exercise: str, payload: str, body: str | None = None, *, when: str = "both") -> str:
    """Return a cell whose hostile code runs ``when``: ``"cell"``, ``"call"`` or ``"both"``.

    The payload is the body of a function ``attack(*given)``; ``given`` holds the inputs of a call
    and is empty when the cell is executed. The answer's own body is wrong by default.
    """
    name = "attack_" + exercise.partition(".")[2]
    inputs = _SIGNATURES[exercise].partition("(")[2].partition("{")[0].partition(", *")[0]
    call = f"{name}({inputs})\n" if when != "cell" else ""
    body = call + textwrap.dedent(WRONG[exercise] if body is None else body).strip("\n")
    before = f"def {name}(*given):\n{_indented(payload)}\n    return None\n\n"
    extra = f"_state={name}()" if when != "call" else f"_state={name}"
    return answer(exercise, body, before=before, extra=extra)


ANSWERS: Mapping[str, str] = {id_: answer(id_, body) for id_, body in RIGHT.items()}
"""Right cells of all exercises of the lesson."""


@functools.cache
def _course_notebook() -> str:
    return (ROOT / "notebooks" / FILE).read_text(encoding="utf-8")


def notebook(answers: Mapping[str, str]) -> dict[str, Any]:
    """Return the course's notebook with these cells in the place of the empty exercises."""
    book: dict[str, Any] = json.loads(_course_notebook())
    left = dict(answers)
    for cell in book["cells"]:
        exercise = exercise_of(cell)
        if exercise in left:
            cell["source"] = left.pop(exercise).splitlines(keepends=True)
    if left:
        raise ValueError(f"lesson {LESSON} has no exercise {', '.join(left)}")
    return book


def exercise_of(cell: Mapping[str, Any]) -> str:
    """Return the id of the exercise that a cell answers, or nothing."""
    if cell["cell_type"] != "code":
        return ""
    source = "".join(cell["source"])
    return next((id_ for id_ in _SIGNATURES if f'@exercise("{id_}")' in source), "")


def cells(book: Mapping[str, Any], exercises: Iterable[str]) -> list[dict[str, Any]]:
    """Return the cells of a notebook that answer these exercises."""
    wanted = set(exercises)
    return [cell for cell in book["cells"] if exercise_of(cell) in wanted]


def save(folder: Path, book: Mapping[str, Any] | str | bytes, name: str = FILE) -> Path:
    """Write a notebook, or the bytes that stand for one, into a student's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps(book) if isinstance(book, Mapping) else book
    path = folder / name
    path.write_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
    return path


def changed(change: Callable[[dict[str, Any]], object], **answers: str) -> dict[str, Any]:
    """Return a notebook of right answers after a change to it in place."""
    book = copy.deepcopy(notebook({**ANSWERS, **answers}))
    change(book)
    return book
