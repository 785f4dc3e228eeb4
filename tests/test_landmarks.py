"""Dates agree with the identifiers, every source is in the references, names are unique."""

import re
from pathlib import Path

import pytest

from genimg_course.landmarks import LANDMARKS, LAWS, kind_of_law, year_of

REFERENCES = (Path(__file__).resolve().parent.parent / "book/references.bib").read_text("utf-8")

# shown in public before the text went to arXiv
EARLIER = {"guidance without a classifier": "2021-12"}


@pytest.mark.parametrize("landmark", LANDMARKS, ids=lambda landmark: landmark.name)
def test_a_date_is_that_of_its_source(landmark):
    kind, _, identifier = landmark.source.partition(":")
    if kind == "arXiv":
        assert re.fullmatch(r"\d{4}\.\d{4,5}", identifier)
        written = f"20{identifier[:2]}-{identifier[2:4]}"
        assert landmark.date == EARLIER.get(landmark.name, written) <= written
        assert f"https://arxiv.org/abs/{identifier}" in REFERENCES
    elif kind == "doi":
        assert landmark.date in identifier and identifier in REFERENCES
    else:
        assert landmark.date == "1986" and "Parallel Distributed Processing" in REFERENCES


def test_landmarks_stand_in_the_order_of_time_and_once_each():
    dates = [landmark.date for landmark in LANDMARKS]
    names = [landmark.name for landmark in LANDMARKS]
    assert dates == sorted(dates)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "model, year", [("autoencoder", 1986), ("GAN", 2014), ("diffusion", 2015), ("DDPM", 2020)]
)
def test_years_that_the_articles_confuse(model, year):
    assert year_of(model) == year


@pytest.mark.parametrize(
    "model, law",
    [("flow", "exact"), ("VAE", "bound"), ("StyleGAN", "implicit"), ("autoencoder", "no law")],
)
def test_a_model_has_the_law_of_its_family(model, law):
    assert LAWS[kind_of_law(model)] == law


@pytest.mark.parametrize("function", [year_of, kind_of_law])
def test_an_unknown_name_is_named(function):
    with pytest.raises(ValueError, match=r"'perceptron'.*choose one of .*GAN"):
        function("perceptron")
