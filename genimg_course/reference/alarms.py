"""What a long training should warn about: a loss that explodes, lost classes, a won game.

Each function looks at numbers that a run has anyway and returns one sentence, or ``None`` where all
is well. ``genimg train`` prints each sentence once and goes on: a warning may be wrong, and the
checkpoints are kept in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

__all__ = ["discriminator_won", "exploded", "lost_classes"]


def exploded(
    name: str, values: Sequence[float], *, ratio: float = 100.0, window: int = 10
) -> str | None:
    """Warn if a loss is far above what it was early in the run.

    The medians of the first and of the last values are compared, so that one bad batch rings no
    bell. Losses that begin near zero, such as the KL term of a VAE, may grow up to ``ratio``.

    Args:
        name: of the loss.
        values: its history, oldest first, nats or any other unit.
        ratio: how many times the early size is too much.
        window: how many values each median is taken of; fewer than two windows ring no bell.

    >>> exploded("g_loss", [0.7] * 10 + [900.0] * 10)
    'g_loss has exploded: about 900 now, 0.7 at the start; try a smaller learning rate'
    >>> exploded("g_loss", [0.7] * 10 + [2.0] * 10)
    """
    if len(values) < 2 * window:
        return None
    early = median(abs(value) for value in values[:window])
    late = median(abs(value) for value in values[-window:])
    if late <= ratio * max(early, 1.0):
        return None
    return (
        f"{name} has exploded: about {late:.3g} now, {early:.3g} at the start; "
        "try a smaller learning rate"
    )


def lost_classes(
    shares: Sequence[float], names: Sequence[str] = (), *, least: float = 0.01
) -> str | None:
    """Warn if a generator makes hardly any picture of some class: its modes have collapsed.

    Args:
        shares: share of each class among generated pictures, as a judge sees them.
        names: of the classes; their numbers by default.
        least: a class with a smaller share counts as lost.

    >>> lost_classes([0.5, 0.5, 0.0], ["cat", "dog", "owl"])
    'class owl is lost: under 1 % of the pictures; the generator collapsed or learned too little'
    >>> lost_classes([0.3, 0.3, 0.4])
    """
    lost = [names[k] if names else str(k) for k, share in enumerate(shares) if not share >= least]
    if not lost:
        return None
    which = f"class {lost[0]} is" if len(lost) == 1 else f"classes {', '.join(lost)} are"
    return (
        f"{which} lost: under {100 * least:g} % of the pictures; "
        "the generator collapsed or learned too little"
    )


def discriminator_won(
    d_loss: Sequence[float], *, least: float = 0.02, window: int = 50
) -> str | None:
    """Warn if a discriminator makes no mistakes any more, so that the generator learns nothing.

    Args:
        d_loss: the cross-entropy on real and generated pictures together, in nats, oldest first.
            Two log two is a draw.
        least: a mean below this is a victory.
        window: how many of the last values are averaged; before twice as many it is too early.

    >>> discriminator_won([1.4] * 50 + [0.001] * 50)
    'the discriminator has won: its loss is 0.001 nats; raise the R1 penalty or slow it down'
    >>> discriminator_won([1.4] * 100)
    """
    if len(d_loss) < 2 * window:
        return None
    mean = sum(d_loss[-window:]) / window
    if mean >= least:
        return None
    return (
        f"the discriminator has won: its loss is {mean:.2g} nats; "
        "raise the R1 penalty or slow it down"
    )
