import pytest
from scipy.stats import binom

from genimg_course.maths import flag_precision, match_p_value, match_threshold


@pytest.mark.parametrize(("matches", "bits"), [(0, 8), (8, 8), (40, 48), (30, 48), (60, 100)])
def test_p_values_agree_with_scipy(matches, bits):
    expected = binom.sf(matches - 1, bits, 0.5)
    assert match_p_value(matches, bits) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("rate", [1.0, 0.5, 1e-3, 1e-6, 2.0**-48])
def test_the_threshold_is_the_least_that_is_rare_enough(rate):
    least = match_threshold(48, false_positive_rate=rate)
    assert match_p_value(least, 48) <= rate
    assert least == 0 or match_p_value(least - 1, 48) > rate


def test_one_in_a_million_asks_for_41_of_48_bits():
    assert match_threshold(48, false_positive_rate=1e-6) == 41
    assert match_threshold(48, false_positive_rate=1e-5) == 39


def test_most_flags_are_false_where_marks_are_rare():
    rare = flag_precision(1e-6, true_positive_rate=1.0, false_positive_rate=1e-4)
    assert rare == pytest.approx(0.0099, abs=1e-4)
    assert flag_precision(0.5, true_positive_rate=0.9, false_positive_rate=0.0) == 1


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: match_p_value(9, 8), "9 matches of 8 bits"),
        (lambda: match_p_value(-1, 8), "-1 matches"),
        (lambda: match_threshold(8, false_positive_rate=1e-6), "8 bits"),
        (
            lambda: flag_precision(0.0, true_positive_rate=1.0, false_positive_rate=0.1),
            "share_marked 0.0",
        ),
        (
            lambda: flag_precision(0.1, true_positive_rate=1.0, false_positive_rate=1.1),
            "false_positive_rate 1.1",
        ),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
