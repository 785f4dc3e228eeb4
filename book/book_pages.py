"""The book's pages as Sphinx reads them: lessons made readable, and the list of the proofs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from book_answers import answers_page
from book_diagrams import models_page
from book_errata import ERRATUM_MARK, errata_page
from book_lessons import cells_with_head, hints_cell, proofs_by_lesson
from book_museum import museum_page

from genimg_course.authoring import repository, student_source

__all__ = ["BOOK", "ROOT", "PageError", "assemble", "lesson_page"]

BOOK = Path(__file__).resolve().parent
ROOT = BOOK.parent

Notebook = dict[str, Any]

_REMOTE_BADGE = re.compile(r"\[!\[[^\]]*\]\(https?://[^)]*\)\]\([^)]*\)\s*")
_PROOF_MARK = re.compile(r"<!-- *proof: *([\w.]+) *-->")
_PROOF_CALL = re.compile(r'proof\("[\w.]+"\)')
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_MARKER = re.compile(r"^ *### (BEGIN|END) SOLUTION *\n?", re.MULTILINE)
_EXERCISE = re.compile(r"^@exercise\(", re.MULTILINE)
_FAMILIES = {
    "probability": "Probability and classical models",
    "networks": "Networks and their training",
    "metrics": "Measures",
    "autoencoder": "Autoencoders",
    "vae": "Variational autoencoders",
    "latent": "Latent spaces",
    "gan": "Games",
    "cgan": "Conditions",
    "stylegan": "Style-based generators",
    "diffusion": "Diffusion and flows",
    "restoration": "Restoration",
    "translation": "Image to image",
    "style": "Style",
    "text": "Text and images",
    "responsible": "Responsible use",
}
_SOLUTION_PROMPTS = {
    "code_prompt_show": "Show one solution",
    "code_prompt_hide": "Hide the solution",
}
_WIDGET = "application/vnd.jupyter.widget-view+json"
_NO_KERNEL = {
    "output_type": "display_data",
    "metadata": {},
    "data": {
        "text/markdown": "This is where the sliders begin. They move in Colab and on your laptop."
    },
}
_INJECTED = "injected-parameters"  # papermill's cell


class PageError(ValueError):
    """Say in one sentence why there are no pages."""


def assemble(source: Path, lessons: Sequence[Path]) -> dict[str, Any]:
    """Lay out pages and lessons as Sphinx wants them.

    A lesson stands under the path of its student's notebook in the repository, so that the button
    for Colab opens that one.

    Args:
        source: folder to write; an earlier one is replaced.
        lessons: executed notebooks.

    Returns:
        Settings of Sphinx that go with the tree.

    Raises:
        PageError: if a lesson ran into an error; the book shows none.
    """
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(BOOK, source, ignore=shutil.ignore_patterns("_build", "__pycache__", "*.py"))
    address = repository(ROOT)
    (source / "ask.md").write_text(answers_page(), encoding="utf-8")
    (source / "models.md").write_text(models_page(source / "diagrams"), encoding="utf-8")
    for written in source.glob("*.md"):
        text = written.read_text(encoding="utf-8").replace("{{ repository }}", address)
        name = address.rsplit("/", 1)[-1]
        written.write_text(text.replace("{{ repository_name }}", name), encoding="utf-8")
    (source / "notebooks").mkdir()
    texts: dict[str, str] = {}
    terms = set(re.findall(r"^(?![`:#])(\S.*)$", _glossary(), re.MULTILINE))
    names = {path.name[:2]: path.stem for path in lessons}
    for path in lessons:
        lesson = json.loads(path.read_text(encoding="utf-8"))
        page = lesson_page(lesson, name=path.stem, terms=terms, lessons=names)
        if any(output["output_type"] == "error" for output in _outputs(page)):
            raise PageError(
                f"{path} ran into an error: run the lesson again before the book is built"
            )
        texts.update(_picture_texts(page))
        (source / "notebooks" / path.name).write_text(json.dumps(page), encoding="utf-8")
    (source / "proofs.md").write_text(_proofs_page(lessons), encoding="utf-8")
    (source / "museum.md").write_text(museum_page(lessons), encoding="utf-8")
    (source / "errata.md").write_text(errata_page(lessons), encoding="utf-8")
    return {"picture_texts": texts}


def lesson_page(
    notebook: Notebook,
    *,
    name: str = "",
    terms: Collection[str] = (),
    lessons: Mapping[str, str] | None = None,
) -> Notebook:
    """Return an executed lesson as the book shows it.

    At its head stand links and what it costs. Badges from other hosts go, for the page has its own
    button. A mark ``<!-- proof: ID -->`` becomes a link to the proof, and a cell that only shows a
    proof shows no code. An exercise appears as students get it, with hints and a solution behind a
    click and the verdict in sight. An explorer says where its sliders move.

    Args:
        notebook: the lesson, as nbformat 4.
        name: of its file, without the ending.
        terms: entries of the glossary, to which their names in bold type become links.
        lessons: the names of all lessons by number.
    """
    page: Notebook = json.loads(json.dumps(notebook))
    page["metadata"].pop("widgets", None)
    cells, page["cells"] = page["cells"], []
    for cell in cells:
        cell["source"] = "".join(cell["source"])
    for cell in cells_with_head(cells, name, lessons or {}):
        text = cell["source"]
        if _INJECTED in cell["metadata"].get("tags", []):
            continue
        if cell["cell_type"] == "markdown":
            cell["source"] = _markdown(text, terms)
        elif _EXERCISE.search(text):
            page["cells"] += filter(None, [_task(cell), hints_cell(text)])
            cell["source"] = _MARKER.sub("", text)
            cell["metadata"]["mystnb"] = _SOLUTION_PROMPTS
            _tag(cell, "exercise", "hide-input")
        elif _PROOF_CALL.fullmatch(text):
            _tag(cell, "proof", "remove-input")
        elif any(_WIDGET in output.get("data", {}) for output in cell.get("outputs", [])):
            cell["outputs"].append(_NO_KERNEL)
            _tag(cell, "explorer")
        page["cells"].append(cell)
    return page


def _markdown(text: str, terms: Collection[str]) -> str:
    def link(match: re.Match[str]) -> str:
        return f"**{{term}}`{match[1]}`**" if match[1] in terms else match[0]

    text = ERRATUM_MARK.sub(_errata_links, text)
    text = _PROOF_MARK.sub(r"\n[[proof: \1](#proof-\1)]{.proof-badge}", _REMOTE_BADGE.sub("", text))
    return _BOLD.sub(link, text)


def _errata_links(mark: re.Match[str]) -> str:
    links = (f"[{id}](#erratum-{id})" for id in mark[1].split())
    return f"Errata: {', '.join(links)}"


def _task(solved: dict[str, Any]) -> dict[str, Any]:
    """Return an exercise's cell as the student meets it."""
    return solved | {
        "id": f"task-{solved.get('id', '')}"[:64],
        "execution_count": None,
        "metadata": {"tags": ["task"]},
        "outputs": [],
        "source": student_source(solved["source"]),
    }


def _tag(cell: dict[str, Any], *tags: str) -> None:
    cell["metadata"]["tags"] = sorted({*cell["metadata"].get("tags", []), *tags})


def _picture_texts(page: Notebook) -> dict[str, str]:
    """Return the descriptions of a lesson's pictures by the digest that names their file."""
    return {
        hashlib.sha256(base64.b64decode("".join(output["data"]["image/png"]))).hexdigest(): text
        for output in _outputs(page)
        if (text := output.get("metadata", {}).get("image/png", {}).get("alt"))
    }


def _outputs(page: Notebook) -> Iterator[dict[str, Any]]:
    for cell in page["cells"]:
        yield from cell.get("outputs", [])


def _proofs_page(lessons: Sequence[Path]) -> str:
    """Return the page that lists every statement with its source and its checks, which it runs."""
    from genimg_course.maths.proofs import all_proofs, proof

    texts = {path: path.read_text(encoding="utf-8") for path in lessons}
    page, family = [(BOOK / "proofs.md").read_text(encoding="utf-8")], (0, "")
    titles = {item.id: item.title for item in all_proofs()}
    marked = {
        path.stem: "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
        for path, text in texts.items()
    }
    page.append(proofs_by_lesson(marked, titles))
    for item in sorted(all_proofs(), key=lambda item: (_family(item.id), item.id)):
        if _family(item.id) != family:
            family = _family(item.id)
            page.append(f"## {family[1]}")
        whole = re.compile(rf"(?<![\w.]){re.escape(item.id)}(?![\w.])")
        uses = [_lesson_link(path) for path, text in texts.items() if whole.search(text)]
        # the first paragraph of the block is the title
        _, *block = proof(item.id)._repr_markdown_().split("\n\n")
        page += [
            f"(proof-{item.id})=",
            f"### {item.title}",
            f"`{item.id}`{{.proof-id}} " + (f"in lesson {', '.join(uses)}" if uses else ""),
            *block,
        ]
    return "\n\n".join(page) + "\n"


def _glossary() -> str:
    """Return the entries of the glossary: a line for each name, its meaning indented below."""
    _, _, entries = (BOOK / "glossary.md").read_text(encoding="utf-8").partition("{glossary}")
    return entries


def _family(id: str) -> tuple[int, str]:
    """Return the place and the heading of a proof's family; one without a heading comes last."""
    name = id.partition(".")[0]
    place = list(_FAMILIES).index(name) if name in _FAMILIES else len(_FAMILIES)
    return place, _FAMILIES.get(name, name)


def _lesson_link(path: Path) -> str:
    return f"[{path.name[:2]}](notebooks/{path.name})"
