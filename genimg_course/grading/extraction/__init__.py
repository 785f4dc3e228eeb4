"""The answers in a notebook: which code belongs to an exercise, and what it needs."""

from genimg_course.grading.extraction.answers import Answer, Problem, answers

__all__ = ["Answer", "Problem", "answers"]
