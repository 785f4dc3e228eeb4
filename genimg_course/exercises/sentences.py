"""Every sentence of the engine; the messages and hints of the exercises pass through ``say`` too.

This is the place where a translation enters: ``say`` looks a sentence up before it fills it in.
Names in backticks are shown as code.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["property_name", "say"]

# Status words and what follows a verdict
STATUS = {
    "right": "right",
    "wrong": "not yet right",
    "not_written": "not written yet",
    "solution_shown": "solution shown",
}
RIGHT = "Your own function is used from here on."
NOT_WRITTEN = "There is nothing here yet: write the body, then run the cell again."
STANDS_IN = "Until then the reference takes its place, so the lesson goes on. For help: `{call}`"

# The first property that fails
RAISES = "It stops with `{error}`."
RAISES_AT = "It stops with `{error}` in line {line}: `{code}`"
NEEDS_DEVICE = (
    "It asks for a GPU, and there is none here. Use the device of the inputs: `x.device`."
)
NONE = "It returns `None`. Does every path end in a `return` with the result?"
TYPE = "It returns {got}; {expected} is expected."
NUMBER = "It returns {got} results; {expected} is expected."
KEYS = "The dictionary has no {missing}; it needs the keys {expected}."
SHAPE_SCALAR = (
    "It returns one number for the whole batch; a result of shape {expected} is expected."
)
SHAPE_REDUCE = "It returns shape {got}; one number is expected. Which sum or mean is missing?"
SHAPE_EXTRA = "It returns shape {got} instead of {expected}: an axis of length 1 is left over."
SHAPE = "It returns shape {got}; {expected} is expected. Along which axes do you reduce?"
DTYPE = "It returns {got} for inputs that call for {expected}. Keep the dtype of the inputs."
FINITE = (
    "It returns {what} where a finite number is expected. Which function overflows, or meets 0?"
)
INPLACE = (
    "It changes its input `{name}` in place. Others still need it: compute a new tensor instead."
)
REPEAT = (
    "A second call with the same inputs gives another result. Does it keep something between "
    "calls, or draw at random?"
)
GRADIENT_MISSING = (
    "The value is right, but no gradient reaches `{name}`. Something cuts the graph, such as "
    "`detach`, `.data`, `.item()`, `no_grad` or a tensor built from numbers."
)
GRADIENT_FINITE = "The value is right, but the gradient with respect to `{name}` is {what}."
GRADIENT = "The value is right, but its gradient with respect to `{name}` is not{detail}."
STILL = (
    "After the step the parameters of the {name} are what they were before; they should have moved."
)
MOVED = "The step moves the parameters of the {name}; they should stay what they were."
CHANGE = (
    "The parameters of the {name} move, but not as one step of this algorithm moves them{detail}."
)
LOSSES = (
    "The networks move as they should, but the returned losses are not those of this step{detail}."
)
OTHER = "What was observed of `{name}` is not what it should be{detail}."

# What kind of error a wrong value is
VALUE = "The result has the right form, but its values are wrong{detail}."
SIGN = ": all of it has the wrong sign"
TOO_LARGE = ": all of it is {factor} times too large"
TOO_SMALL = ": all of it is {factor} times too small"
SIGN_AND = " and has the wrong sign"
MEAN_FOR_SUM = ": it is a mean where a sum is expected, too small by {axis}"
SUM_FOR_MEAN = ": it is a sum where a mean is expected, too large by {axis}"
AXIS = "the size of axis {axis} of `{name}`"
PER_EXAMPLE = "the number of elements per example of `{name}`"
ALL_ELEMENTS = "the number of elements of `{name}`"
ABOVE = ": all of it is too large by {offset}"
BELOW = ": all of it is too small by {offset}"
FIXED = (
    ": it is off by a factor that follows {axis}; does a fixed number stand in the place of that "
    "size?"
)
AS_MANY = ", by as much as {axis}"
UNITS = ", by as much as bits differ from nats"
ZERO = ": all of it is zero"
SQUARED = ": it is the square of the right value"
ROOT = ": it is the root of the right value"
EXPONENTIAL = ": it is the exponential of the right value"
LOGARITHM = ": it is the logarithm of the right value"
RECIPROCAL = ": it is one over the right value"
SIZE_ONLY = ": it is the right value without its sign"
COMPLEMENT = ": it is one minus the right value"
ORDER = ": the right numbers stand in another order"
NEGATIVE = ": it is wrong where the right value is negative, and right elsewhere"
POSITIVE = ": it is wrong where the right value is positive, and right elsewhere"
PART = ": {wrong} of {all} numbers are wrong, the others are right"
SLOPES = (
    ": its gradient is right for {right} and wrong for {wrong}, so look at the terms with {wrong}"
)
ALL_SLOPES = ": its gradient is right for {right}, so what is wrong does not depend on that"
CONSTANT = ": it is {value} whatever the inputs are"
FACTOR_PER_CASE = ": in each case all of it is off by one factor, so look at what it is divided by"
OFFSET_PER_CASE = ": in each case all of it is off by one number, so look at what is added to it"
EVER_LARGER = ": it is never too small, but too large"
EVER_SMALLER = ": it is never too large, but too small"
BOTH_WAYS = ": some of it is too large, some too small"
IN_KEY = " in {keys}"
SEEN_WITH = "Seen with {cases} only; elsewhere it is right."

# Hints and tables
HINT = "Hint {step} of {steps}"
YOURS_GIVES = "Your own answer, in place of the reference, gives:"
SOLUTION = "Solution"
SOLUTION_NOTE = (
    "This is the reference. Close it, and write it again in your own words; that it was shown is "
    "noted."
)
NO_EXERCISE = "There is no exercise {id!r}.{near}"
NEAR = " Did you mean {names}?"
KNOWN = " There are: {names}."
NO_LESSON = "There are no exercises of lesson {lesson!r}. There are exercises of {lessons}."
NOTHING_TRIED = "No exercise was tried in this session yet."
COLUMNS = ("exercise", "status", "attempts", "hints")

PROPERTIES = {
    "raises": "it runs through",
    "none": "it returns something",
    "type": "the type of the result",
    "number": "the number of results",
    "keys": "the keys of the dictionary",
    "shape": "the shape of the result",
    "dtype": "the dtype of the result",
    "finite": "the result is finite",
    "inplace": "the inputs stay as they were",
    "value": "the value",
    "gradient_missing": "the gradient flows",
    "gradient_finite": "the gradient is finite",
    "gradient": "the gradient",
    "moved": "which parameters move",
    "change": "where the parameters move",
    "losses": "the returned losses",
    "statistic": "the law of the samples",
    "observation": "what it does",
    "repeat": "a second call gives the same",
}


def say(sentence: str, values: Mapping[str, Any] | None = None) -> str:
    """Return a sentence in the reader's language, filled in where values are given."""
    translated = _translate(sentence)
    return translated.format(**values) if values else translated


def property_name(property: str) -> str:
    """Return how a property is called in a message."""
    return say(PROPERTIES[property])


def _translate(sentence: str) -> str:
    """Return the sentence itself until a catalogue is there."""
    return sentence
