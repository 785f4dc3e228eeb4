"""All attacks, in each tier, in three orders; ``make test-grading`` runs this.

``make test`` runs a short form of it. ``GENIMG_ATTACK_TABLE=FILE.json`` keeps what came of each
attack in each tier, with a table in Markdown beside it.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from attacks.attack import Attack, pack
from attacks.batches import ORDERS, Batch, grade_batch, missing_tier, write_table
from attacks.corpus import ATTACKS
from attacks.host import Host, make_host

TIERS = ("bubblewrap", "landlock")
_GROUP = 12
FORMS = tuple(attack for attack in ATTACKS if attack.harmless)
HOSTILE = pack(attack for attack in ATTACKS if not attack.harmless)
GROUPS = [HOSTILE[start : start + _GROUP] for start in range(0, len(HOSTILE), _GROUP)]
_TABLE: dict[str, dict[str, list[str]]] = {}

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module", params=TIERS)
def tier(request: pytest.FixtureRequest) -> str:
    """Return a tier, or skip with the reason why it cannot be had here."""
    name: str = request.param
    reason = missing_tier(name)
    if reason:
        pytest.skip(f"{name}: {reason}")
    return name


@pytest.fixture(scope="module")
def host(tier: str, tmp_path_factory: pytest.TempPathFactory) -> Host:
    return make_host(tmp_path_factory.mktemp("host") / "h")


@pytest.fixture(scope="module")
def alone(host: Host, tier: str) -> Batch:
    """Grade the honest students alone: what their records must be beside any attacker."""
    batch = grade_batch(host, [], tier=tier)
    assert batch.broken == []
    return batch


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Keep the table of verdicts where one was asked for."""
    yield
    if path := os.environ.get("GENIMG_ATTACK_TABLE"):
        write_table(Path(path), _TABLE)


def test_honest_students_get_what_they_deserve(alone: Batch) -> None:
    statuses = {
        student: {r["status"] for r in alone.records if r["student"] == student}
        for student in ("honest-1", "honest-2", "honest-5")
    }
    assert statuses == {
        "honest-1": {"correct"},
        "honest-2": {"wrong"},
        "honest-5": {"not_attempted"},
    }


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("group", range(len(GROUPS)))
def test_hostile_code_gains_nothing_and_harms_nobody(
    host: Host, tier: str, alone: Batch, group: int, order: str
) -> None:
    _check(GROUPS[group], host, tier, alone, order)


@pytest.mark.parametrize("attack", FORMS, ids=lambda attack: attack.id)
def test_forms_of_files_harm_nobody(host: Host, tier: str, alone: Batch, attack: Attack) -> None:
    # what is in the files is honest code, and no order of names changes how they are read
    _check([attack], host, tier, alone, "between")


def _check(attacks: Sequence[Attack], host: Host, tier: str, alone: Batch, order: str) -> None:
    batch = grade_batch(host, attacks, tier=tier, order=order, alone=alone)
    _TABLE.setdefault(tier, {}).update(batch.table)
    assert batch.broken + batch.missed == []
