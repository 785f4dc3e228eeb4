"""The book's JavaScript modules, run by node without a browser."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

__all__ = ["run_modules"]


def run_modules(folder: Path, modules: Sequence[str], body: str, case: Any) -> Any:
    """Run ``body``, which returns a value, with the modules of a folder and ``case_`` in scope."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    imports = "\n".join(
        f"import * as {name} from {json.dumps((folder / name).as_uri() + '.js')};"
        for name in modules
    )
    script = (
        f"{imports}\nconst case_ = JSON.parse((await import('node:fs')).readFileSync(0, 'utf8'));\n"
        f"const answer = (() => {{ {body} }})();\nconsole.log(JSON.stringify(answer));"
    )
    done = subprocess.run(
        [node, "--input-type=module", "--no-warnings", "--eval", script],
        input=json.dumps(case),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
