"""What was handed in: files, names and notebooks, read as text by nobody who could be harmed."""

from genimg_course.grading.intake.gathering import Intake, Rejected, Submission, gather
from genimg_course.grading.intake.manifest import Item, Lesson, manifest

__all__ = ["Intake", "Item", "Lesson", "Rejected", "Submission", "gather", "manifest"]
