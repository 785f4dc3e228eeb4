import pytest

from genimg_course.training import warm_up


def test_the_weight_rises_evenly_and_stays():
    weights = [warm_up(n, 5, beta=2.0) for n in range(8)]
    assert weights == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0, 2.0, 2.0, 2.0])


def test_a_warm_up_of_one_step_is_none():
    assert warm_up(0, 1) == 1.0


@pytest.mark.parametrize("n, steps", [(-1, 4), (0, 0)])
def test_impossible_steps_are_refused(n, steps):
    with pytest.raises(ValueError, match=f"got step {n} of {steps}"):
        warm_up(n, steps)
