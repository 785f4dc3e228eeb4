"""How well a score tells two kinds of things apart, whatever the threshold."""

from __future__ import annotations

from torch import Tensor

from genimg_course._checks import check_finite

__all__ = ["roc_area"]


def roc_area(low: Tensor, high: Tensor) -> Tensor:
    r"""Return the area under the ROC curve: how often a score of ``high`` beats one of ``low``.

    .. math:: P(s_{\mathrm{high}} > s_{\mathrm{low}})
        + \tfrac12 P(s_{\mathrm{high}} = s_{\mathrm{low}})

    It is 1 if a threshold separates the kinds, one half if the score says nothing, and below one
    half if it points the wrong way.

    Args:
        low: scores of the things that should score low (normal, generated), ``(N,)``.
        high: scores of the things that should score high (anomalous, real), ``(M,)``.

    Returns:
        A scalar from 0 to 1.

    Raises:
        ValueError: if a set is not one-dimensional, is empty, or has a value that is not finite.

    Source:
        Hanley and McNeil (1982), https://doi.org/10.1148/radiology.143.1.7063747
    """
    for name, scores in (("low", low), ("high", high)):
        if scores.ndim != 1 or not len(scores):
            raise ValueError(f"{name} has shape {tuple(scores.shape)}: expected (N,), not empty")
    check_finite(low=low, high=high)
    wins = (high[:, None] - low).sign()  # 1, 0 for a tie, -1
    return (wins.mean() + 1) / 2
