"""What is made of the records: tables, a page for each student, a summary of the class."""

from genimg_course.grading.reports.summary import find_sections
from genimg_course.grading.reports.writing import write_reports

__all__ = ["find_sections", "write_reports"]
