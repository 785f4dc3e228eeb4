"""Make sliders, menus and switches from short descriptions; ipywidgets is imported when needed."""

from __future__ import annotations

from decimal import Decimal
from numbers import Integral, Real
from typing import Any

__all__ = ["control"]

# controls of one width end in line, and two stand side by side on a usual page; no wider than the
# page, less what the front end leaves free on both sides
_SIZE = {"width": "30em", "max_width": "calc(100% - 4px)"}


def control(name: str, given: Any, *, label_width: str = "initial") -> Any:
    """Return a widget for what a caller gave: a widget, a tuple of numbers, choices, a switch.

    Raises:
        ValueError: if it is none of these, or the numbers of a slider do not fit each other.
    """
    from ipywidgets import Widget, interactive

    if isinstance(given, tuple):
        widget = _slider(name, *given)
    else:
        widget = given if isinstance(given, Widget) else interactive.widget_from_abbrev(given)
    if not hasattr(widget, "value"):
        raise ValueError(
            f"{name} is {given!r}; pass a widget, a tuple of numbers or a list of choices"
        )
    if not getattr(widget, "description", name):
        widget.description = name.replace("_", " ")
        widget.style.description_width = label_width
        if widget.has_trait("tooltip"):  # of ipywidgets 8, which shows "null" where it has none
            widget.tooltip = widget.description
        widget.layout = _SIZE
    return widget


def _slider(name: str, *given: Any) -> Any:
    """Return a slider for ``low, high``, and perhaps ``step`` and ``first``."""
    from ipywidgets import FloatSlider, IntSlider

    numbers = all(isinstance(value, Real) for value in given)
    if not (2 <= len(given) <= 4 and numbers and given[0] < given[1]):
        raise ValueError(
            f"{name} is {given}; pass (low, high, step, first), all numbers, low < high"
        )
    low, high = given[:2]
    whole = all(isinstance(value, Integral) for value in given)
    step = given[2] if len(given) > 2 else (1 if whole else (high - low) / 100)
    if not 0 < step <= high - low:
        raise ValueError(f"{name} has the step {step}; pass one between 0 and {high - low}")
    first = given[3] if len(given) > 3 else round(low + step * int((high - low) / step / 2), 12)
    if not low <= first <= high:
        raise ValueError(f"{name} begins at {first}; pass a value between {low} and {high}")
    shared = {"min": low, "max": high, "step": step, "value": first}
    if whole:
        return IntSlider(**shared)
    digits = max(0, -int(Decimal(f"{step:.2g}").as_tuple().exponent))
    return FloatSlider(**shared, readout_format=f".{digits}f")
