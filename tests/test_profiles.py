import pytest
import torch

from genimg_course.profiles import PROFILES, budget, resolve

NUMBERS = {"smoke": {"steps": 3}, "cpu": {"steps": 900}, "gpu": {"steps": 9000}}


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine without an accelerator or a setting; returns a way to change it."""

    def has(cuda=False, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    monkeypatch.delenv("GENIMG_PROFILE", raising=False)
    has()
    return has


@pytest.mark.parametrize(
    ("devices", "profile"), [({}, "cpu"), ({"cuda": True}, "gpu"), ({"mps": True}, "gpu")]
)
def test_the_machine_decides_when_nobody_else_does(machine, devices, profile):
    machine(**devices)
    assert resolve() == profile


def test_the_environment_overrules_the_machine_and_the_argument_overrules_both(monkeypatch):
    monkeypatch.setenv("GENIMG_PROFILE", "smoke")
    assert resolve() == "smoke"
    assert resolve("gpu") == "gpu"
    monkeypatch.setenv("GENIMG_PROFILE", "")
    assert resolve() == "cpu"


@pytest.mark.parametrize("name", PROFILES)
def test_a_budget_holds_the_numbers_of_its_profile(name, monkeypatch):
    assert vars(budget(name, **NUMBERS)) == {"profile": name} | NUMBERS[name]
    monkeypatch.setenv("GENIMG_PROFILE", name)
    assert budget(**NUMBERS).steps == NUMBERS[name]["steps"]


def test_an_unknown_profile_is_named(monkeypatch):
    with pytest.raises(ValueError, match=r"'GPU'.*smoke, cpu, gpu"):
        resolve("GPU")
    monkeypatch.setenv("GENIMG_PROFILE", "fast")
    with pytest.raises(ValueError, match="'fast'"):
        budget(**NUMBERS)


@pytest.mark.parametrize("name", PROFILES)
def test_a_number_missing_from_one_profile_is_named(name):
    numbers = {key: value | {"size": 16} for key, value in NUMBERS.items()}
    del numbers[name]["size"]
    with pytest.raises(ValueError, match="not in all of them: size"):
        budget("smoke", **numbers)
