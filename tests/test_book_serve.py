"""What shows and publishes the book: ``make book-serve`` and the workflow."""

import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
import yaml
from lessons import ROOT

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text("utf-8"))

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")


@needs_make
def test_without_a_site_there_is_one_sentence(tmp_path):
    asked = serve(tmp_path / "nothing", 8000)
    said = asked.communicate(timeout=20)[1]
    assert asked.returncode != 0
    assert said.startswith("There is no site in ")
    assert "make book builds it" in said.splitlines()[0]


@needs_make
def test_site_is_shown_on_this_machine_alone(tmp_path):
    (tmp_path / "index.html").write_text("<p>The book</p>")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = serve(tmp_path, port)
    try:
        assert b"The book" in answer(f"http://127.0.0.1:{port}/")
    finally:
        server.terminate()
        server.communicate(timeout=20)


def serve(site: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["make", "--no-print-directory", "book-serve", f"SITE={site}", f"PORT={port}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(address: str) -> bytes:
    """Return what an address answers, within ten seconds."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=5) as page:
                return bytes(page.read())
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


def test_workflow_builds_with_the_readers_commands_and_offers_what_they_leave():
    steps = WORKFLOW["jobs"]["build"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    assert commands == ["make setup", "make book"]
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{command.removeprefix('make ')}:" in targets for command in commands)
    offered = next(step for step in steps if "upload-pages-artifact" in step.get("uses", ""))
    assert offered["with"]["path"] == "book/_build/html"


def test_only_the_main_branch_is_published_and_by_the_least_rights():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    publish = WORKFLOW["jobs"]["publish"]
    assert publish["needs"] == "build"
    assert "refs/heads/main" in publish["if"]
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}


def test_every_action_has_a_version():
    used = [
        step["uses"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "uses" in step
    ]
    assert len(used) >= 5
    assert [action for action in used if "@v" not in action] == []
