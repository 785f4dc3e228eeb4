"""Grade a folder as the command line does, with limits that a test can wait for.

The only argument is JSON: ``sources``, ``out``, ``notebooks``, ``tier``, ``seed``, ``seconds``.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    """Grade, and say on stdout how many records there are."""
    settings = json.loads(sys.argv[1])
    from genimg_course.grading.batch import grade
    from genimg_course.grading.intake import manifest
    from genimg_course.grading.isolation.session import Limits

    lessons = {
        number: lesson
        for number, lesson in manifest(Path(settings["notebooks"])).items()
        if number == "06"
    }
    outcome = grade(
        [Path(source) for source in settings["sources"]],
        Path(settings["out"]),
        lessons=lessons,
        seed=settings["seed"],
        tier=settings["tier"],
        trust=settings["tier"] == "none",
        limits=Limits(**settings["limits"]),
    )
    print(len(outcome.records), "records, tier", outcome.tier)


if __name__ == "__main__":
    main()
