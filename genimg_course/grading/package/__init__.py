"""Write a copy of the package that does not hold the answers.

Every function that is the reference of an exercise keeps its signature and its docstring and raises
when it is called; so do private functions that only such functions call, and a few others that give
the same answer under another name. What is left out does not exist in the copy: exercises, proofs,
solutions' relatives such as the broken programs of the clinic.
"""

from genimg_course.grading.package.copying import withheld, write_package
from genimg_course.grading.package.stubs import stub

__all__ = ["stub", "withheld", "write_package"]
