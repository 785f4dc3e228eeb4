"""The two maps of the first lesson can be read and say what the lesson says."""

from itertools import pairwise

import pytest
from test_viz_diagram import contains, overlap, parts

from genimg_course.viz import concept_map, family_tree, png_bytes


@pytest.mark.parametrize("draw", [concept_map, family_tree])
def test_texts_lie_in_their_boxes_and_on_the_page(draw):
    figure = draw()
    boxes, texts, arrows = parts(figure)
    page = figure.bbox.extents
    assert len(boxes) >= 7 and len(arrows) >= 6
    assert not any(overlap(a, b) for a, b in pairwise(boxes))
    for name, extent in texts.items():
        around = [box for box in boxes if overlap(box, extent)]
        assert contains(page, extent) and len(around) <= 1, name
        assert all(contains(box, extent) for box in around), name
    assert figure.get_figwidth() < 8 and len(png_bytes(figure)) < 150_000


def test_the_maps_say_which_models_define_a_law():
    tree = " ".join(text.get_text() for text in family_tree().axes[0].texts)
    for word in ("exact density", "a bound", "only drawing", "flow", "diffusion", "adversarial"):
        assert word in tree
    assert "autoencoder\ncopies; no law" in [t.get_text() for t in concept_map().axes[0].texts]
    assert "no law" in concept_map().alt and "GAN" in concept_map().alt
