"""One word loads a set; importing costs nothing."""

import subprocess
import sys

import pytest

from genimg_course import data


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'minst'.*glyphs, mnist, fashion_mnist, folder:PATH"):
        data.load("minst")


@pytest.mark.parametrize("name", ["glyphs", "mnist", "folder:here"])
def test_an_unknown_split_lists_the_known_ones(name):
    with pytest.raises(ValueError, match=r"'dev'.*train, validation, test"):
        data.load(name, split="dev")


@pytest.mark.parametrize("name", ["glyphs", "mnist", "fashion_mnist", "folder:here"])
def test_a_count_below_one_is_refused(name):
    with pytest.raises(ValueError, match="count is 0"):
        data.load(name, count=0)


def test_every_known_name_has_one_line():
    lines = dict(data.available())
    assert list(lines) == ["glyphs", "mnist", "fashion_mnist", "folder:PATH"]
    assert all(line and "\n" not in line for line in lines.values())


def test_the_default_size_of_glyphs_is_that_of_mnist():
    assert data.load("glyphs", count=10).images.shape == (10, 1, 28, 28)


def test_importing_the_package_imports_no_heavy_library_and_glyphs_no_font_manager():
    program = (
        "import sys, genimg_course.data as data\n"
        "heavy = {'matplotlib', 'torchvision', 'PIL', 'numpy.testing'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "data.load('glyphs', size=12, count=5)\n"
        "assert not {'matplotlib.pyplot', 'matplotlib.font_manager'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
