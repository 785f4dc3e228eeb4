"""A grader without protection, for comparison: answers run in the process that judges them.

It is what a grader looks like that calls the notebook's own check. ``python naive.py`` reads JSON
from stdin, ``{name: [exercise, function, code]}``, and writes ``{name: verdict}``; each answer gets
a fork, so that those that end the process end only that.
"""

import json
import os
import sys
from multiprocessing import get_context
from typing import Any


def _grade(exercise: str, function: str, code: str, pipe: Any) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    from genimg_course.exercises.checking import check
    from genimg_course.exercises.registry import specification

    code = "\n".join(line for line in code.split("\n") if not line.startswith("@exercise"))
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        exec(compile("import torch\n" + code, "<answer>", "exec"), names)
        pipe.send(check(specification(exercise), names[function], seed=7).status)
    except SystemExit as error:
        pipe.send(f"left: {error}")
    except BaseException as error:
        pipe.send(f"raised: {type(error).__name__}: {error}"[:300])


def main() -> None:
    """Grade all answers, two seconds each."""
    import genimg_course.exercises.lesson_06  # noqa: F401  # once, before all forks

    context = get_context("fork")
    verdicts = {}
    for name, (exercise, function, code) in json.load(sys.stdin).items():
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_grade, args=(exercise, function, code, there))
        process.start()
        there.close()
        try:
            verdicts[name] = here.recv() if here.poll(4) else "hangs"
        except EOFError:
            verdicts[name] = "died"
        process.kill()
        process.join()
    sys.__stdout__.write(json.dumps(verdicts))
    sys.__stdout__.flush()


if __name__ == "__main__":
    main()
