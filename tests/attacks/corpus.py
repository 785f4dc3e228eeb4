"""All attacks: the 62 visible ones, and ours."""

from attacks import class_a, class_b, class_c, class_d, class_w
from attacks.attack import Attack

__all__ = ["ATTACKS", "BY_ID", "OWN", "VISIBLE"]

VISIBLE: tuple[Attack, ...] = tuple(
    sorted(
        (*class_a.ATTACKS, *class_b.ATTACKS, *class_c.ATTACKS, *class_d.ATTACKS),
        key=lambda attack: attack.id,
    )
)
OWN: tuple[Attack, ...] = class_w.ATTACKS
ATTACKS = (*VISIBLE, *OWN)
BY_ID = {attack.id: attack for attack in ATTACKS}
