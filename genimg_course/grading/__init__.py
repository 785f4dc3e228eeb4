"""Grade submissions that nobody had to trust: intake, isolation, judgement, reports."""

from genimg_course.grading.record import Record

__all__ = ["Record"]
