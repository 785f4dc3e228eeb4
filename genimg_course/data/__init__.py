"""Pictures for the lessons: the pixel contract, sets with cards, and batches.

>>> import genimg_course.data as data
>>> digits = data.load("glyphs", size=16, count=20)
>>> digits.images.shape
torch.Size([20, 1, 16, 16])
"""

from genimg_course.data.batches import Batches
from genimg_course.data.catalogue import available, load
from genimg_course.data.points import Mixture, draws, grid, ring
from genimg_course.data.sets import Card, DataError, ImageSet
from genimg_course.maths.pixels import to_model_range, to_uint8

__all__ = [
    "Batches",
    "Card",
    "DataError",
    "ImageSet",
    "Mixture",
    "available",
    "draws",
    "grid",
    "load",
    "ring",
    "to_model_range",
    "to_uint8",
]
