"""Send plain data between the grader and a box that nobody trusts: no pickle, no text to parse.

Both sides use this package. What is encoded is decided by exact type: a subclass of ``float``, of
an array or of a tensor may lie about itself, so it crosses as the name of its type, like any other
object. Floats travel as their eight bytes, tensors as dtype, shape and bytes, so that nothing is
rounded. The reader accepts a value only if every length, depth and count is within bounds.
"""

from genimg_course.grading.wire.decoding import decode
from genimg_course.grading.wire.encoding import encode
from genimg_course.grading.wire.form import DEPTH, Stranger, TooLarge, WireError, plain_line

__all__ = ["DEPTH", "Stranger", "TooLarge", "WireError", "decode", "encode", "plain_line"]
