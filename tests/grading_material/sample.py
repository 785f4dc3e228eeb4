"""A class of twelve, made by hand: every status, every kind of flag, names that mean harm."""

from dataclasses import dataclass
from hashlib import sha256

from genimg_course.grading.record import Record

SEED = 20261121
TOKEN = "canary-of-another-student"


@dataclass(frozen=True)
class SampleItem:
    id: str
    points: float


@dataclass(frozen=True)
class SampleLesson:
    number: str
    slug: str
    exercises: tuple[SampleItem, ...]


VAE = ("vae.bernoulli_nll", "vae.gaussian_kl", "vae.reparameterise", "vae.negative_elbo")
AE = ("autoencoder.squared_error", "autoencoder.bottleneck")
LESSONS = {
    "05": SampleLesson("05", "05_autoencoders", tuple(SampleItem(id, 1.0) for id in AE)),
    "06": SampleLesson(
        "06", "06_variational_autoencoder", tuple(SampleItem(id, 2.0) for id in VAE)
    ),
}

FORGED = "eve\nmallory,06,vae.gaussian_kl,correct,10,10"
SCRIPT = "<script>alert(1)</script>"
HOSTILE_NAMES = {
    "s07": "=cmd|'/C calc'!A0",
    "s08": '+1;=HYPERLINK("http://evil.example","x")',
    "s09": f"\u202e{SCRIPT}\x00]]>",
    "../../etc/passwd": "@SUM(A1:A9)",
    "-rf": "-2+3",
    FORGED: "＝1＋1",
}
HOSTILE_MESSAGES = (
    "It stops with `ValueError: <script>alert(1)</script><img src=x onerror=alert(2)>` in line 3: "
    "`raise ValueError('<b onmouseover=alert(3)>')`",
    "[click](javascript:alert(1)) <a href='javascript:alert(1)'>x</a> ]]> <!-- --> \x00\x1b[31m",
    "</style></title></pre><iframe src=//evil.example></iframe>&lt;script&gt; \ud800 \u2066turned",
)


def checksum(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def record(student: str, exercise: str, status: str = "correct", **rest) -> Record:
    lesson = "06" if exercise.startswith("vae") else "05"
    possible = 2.0 if lesson == "06" else 1.0
    values = {
        "lesson": lesson,
        "submission": checksum(f"{student} {lesson}"),
        "points": possible if status == "correct" else 0.0,
        "possible": possible,
        "tier": "bubblewrap",
        "seed": SEED,
        "answer": checksum(f"{student} {exercise}"),
    }
    return Record(student=student, exercise=exercise, status=status, **(values | rest))


def whole_file(student: str, status: str, message: str, lesson: str = "06") -> Record:
    return record(
        *(student, "", status), lesson=lesson, message=message, points=0.0, possible=0.0, tier=""
    )


def lesson_06(student: str, *findings: dict) -> list[Record]:
    return [record(student, id, **finding) for id, finding in zip(VAE, findings, strict=True)]


def wrong(diagnosis: str, message: str, **rest) -> dict:
    return {"status": "wrong", "diagnosis": diagnosis, "message": message, **rest}


RIGHT = {"status": "correct", "message": "Your own function is used from here on."}
HALF = wrong("HALF", "The factor one half is missing. It stands before the whole sum.")
SHAPE = wrong("shape", "It returns shape (3, 1); (3,) is expected.")
EMPTY = {"status": "not_attempted", "tier": "", "answer": "", "message": "Nothing here yet."}
SLOW = {"status": "timeout", "message": "It takes longer than 10 s for one question."}


def killed(reason: str) -> dict:
    return {"status": f"killed:{reason}", "message": "It was stopped."}


def sample() -> list[Record]:
    return [
        *(record("s01", id) for id in AE),
        *lesson_06("s01", RIGHT, RIGHT, RIGHT, RIGHT),
        record("s02", AE[0]),
        record("s02", AE[1], "wrong", diagnosis="value", message="Its values are wrong."),
        *lesson_06("s02", RIGHT, HALF, RIGHT, {**SHAPE, "flags": ("depends:vae.gaussian_kl",)}),
        *lesson_06("s03", RIGHT, HALF, SLOW, EMPTY),
        *lesson_06("s04", SHAPE, HALF, killed("memory"), {"status": "crashed"}),
        *lesson_06("s05", killed("cpu"), killed("pids"), killed("disk"), killed("output")),
        *lesson_06(
            "s06",
            {**RIGHT, "flags": ("duplicate",)},
            {"status": "error", "diagnosis": "unavailable", "message": "Write it yourself."},
            wrong("protocol", "It answers another question.", flags=("tamper",)),
            EMPTY,
        ),
        *lesson_06("s07", *(wrong("shape", text) for text in HOSTILE_MESSAGES), RIGHT),
        *lesson_06("s08", RIGHT, RIGHT, RIGHT, EMPTY),
        whole_file("s09", "rejected:json", "The file ends in the middle of a cell."),
        whole_file("../../etc/passwd", "rejected:name", f"The name holds ../ {SCRIPT}", lesson=""),
        *lesson_06("-rf", RIGHT, RIGHT, HALF, {**EMPTY, "message": f"=1+1 {TOKEN}"}),
        *lesson_06(
            FORGED, EMPTY, EMPTY, EMPTY, {**RIGHT, "tier": "none", "flags": ("UNSANDBOXED",)}
        ),
    ]


LATE = {("s08", "06"): 0.8}
