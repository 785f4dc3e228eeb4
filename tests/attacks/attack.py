"""What an attack is, and what is expected of the grader."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from attacks.host import Host
from attacks.writing import ANSWERS, FILE, RIGHT, notebook, save

__all__ = ["Attack", "Expected", "expect", "pack"]

_WITNESSES = ("vae.bernoulli_nll", "vae.effective_beta")


@dataclass(frozen=True)
class Expected:
    """Which records answer an attack: patterns of the status and the diagnosis, and flags."""

    status: str
    diagnosis: str | None = None
    flags: tuple[str, ...] = ()
    message: str = ""

    def misses(self, status: str, diagnosis: str, flags: tuple[str, ...], message: str) -> str:
        """Say what of a record is not as expected; nothing if all is."""
        if not re.fullmatch(self.status, status):
            return f"status {status!r}, expected {self.status}"
        if self.diagnosis is not None and not re.fullmatch(self.diagnosis, diagnosis):
            return f"diagnosis {diagnosis!r}, expected {self.diagnosis}"
        missing = [flag for flag in self.flags if not any(flag in found for found in flags)]
        if missing:
            return f"flags {flags}, expected {', '.join(missing)}"
        if not re.search(self.message, message):
            return f"message {message!r}, expected {self.message!r}"
        return ""


def expect(status: str, diagnosis: str | None = None, *flags: str, message: str = "") -> Expected:
    """Return what is expected of one record."""
    return Expected(status, diagnosis, flags, message)


@dataclass(frozen=True)
class Attack:
    """One submission, or a few, that a hostile or unlucky student could hand in.

    Args:
        id: ``"V01"``, or ``"W01"`` for one of our own.
        title: what it tries.
        expected: by exercise; the exercise ``""`` is the file as a whole. Everything that is not
            named and not answered may have any status but ``"correct"``.
        answers: makes the cells from what the attacker knows about the host.
        write: writes the submission instead; gets the student's folder and the host.
        slow: seconds that it may take beyond an ordinary submission.
        witnesses: whether two right answers stand beside the attack; they must stay correct.
        students: further students that it writes, with what is expected of them.
        parts: ids by exercise, if several attacks share the notebook: see :func:`pack`.
    """

    id: str
    title: str
    expected: Mapping[str, Expected]
    answers: Callable[[Host], Mapping[str, str]] | None = None
    write: Callable[[Path, Host], object] | None = None
    slow: float = 0.0
    witnesses: bool = True
    students: Mapping[str, Mapping[str, Expected]] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def harmless(self) -> bool:
        """Say whether its code, if any, is honest: the attack lies in files and names."""
        return self.write is not None

    @property
    def kind(self) -> str:
        """The class of the attack by GRADING's letters, from its number."""
        if self.id[0] != "V":
            return self.id[0]
        number = int(self.id[1:3])
        return "A" if number <= 24 else "B" if number <= 39 else "C" if number <= 50 else "D"

    def hand_in(self, folder: Path, host: Host) -> None:
        """Write the submission into a student's folder."""
        if self.write is not None:
            self.write(folder, host)
        elif self.answers is not None:
            answers = dict(self.answers(host))
            for witness in self._standing(answers):
                answers[witness] = ANSWERS[witness]
            save(folder, notebook(answers), FILE)

    def verdicts(self, host: Host) -> dict[str, Expected]:
        """Return what is expected of each exercise, the witnesses included."""
        expected = dict(self.expected)
        if self.answers is not None:
            for witness in self._standing(self.answers(host)):
                expected.setdefault(witness, Expected("correct"))
        for exercise in RIGHT:
            if "" not in expected and self.write is None:
                expected.setdefault(exercise, Expected("not_attempted"))
        return expected

    def _standing(self, answers: Mapping[str, str]) -> list[str]:
        return [id_ for id_ in _WITNESSES if self.witnesses and id_ not in answers]


_MOST_SLOW = 8.0


def pack(attacks: Iterable[Attack]) -> list[Attack]:
    """Put attacks on different exercises into one notebook, so that fewer boxes start.

    Each answer runs in a process of its own, so attacks of one notebook do not meet; those that
    reach for the box as a whole still stand beside others, which must get what they deserve.
    """
    bins: list[list[Attack]] = []
    for attack in attacks:
        for shelf in bins:
            taken = {id_ for other in shelf for id_ in other.expected}
            slow = sum(other.slow for other in shelf) + attack.slow
            if not taken & set(attack.expected) and slow <= _MOST_SLOW:
                shelf.append(attack)
                break
        else:
            bins.append([attack])
    return [_packed(shelf, number) for number, shelf in enumerate(bins, 1)]


def _packed(shelf: Sequence[Attack], number: int) -> Attack:
    def answers(host: Host) -> dict[str, str]:
        found: dict[str, str] = {}
        for attack in shelf:
            assert attack.answers is not None
            found |= attack.answers(host)
        return found

    return Attack(
        f"P{number:02d}",
        ", ".join(attack.id for attack in shelf),
        {id_: expected for attack in shelf for id_, expected in attack.expected.items()},
        answers,
        parts={id_: attack.id for attack in shelf for id_ in attack.expected},
    )
