"""Reference trainings: what ``genimg train`` runs, from the data to measured weights."""

from genimg_course.reference.families import FAMILIES, Run
from genimg_course.reference.judges import make_judge
from genimg_course.reference.training import Summary, train

__all__ = ["FAMILIES", "Run", "Summary", "make_judge", "train"]
