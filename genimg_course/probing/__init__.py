"""What runs beside an answer that nobody has to trust: inputs go in, raw observations come out.

Nothing here knows a right answer, and nothing here judges: a worker that was tampered with can
claim what it likes. A claim such as "the input is unchanged" would cost it nothing, so probes yield
what a judge can compute that from: the input as it is afterwards.
"""

from genimg_course.probing.calling import Failure
from genimg_course.probing.case import Case, Observations, Observed, Probe
from genimg_course.probing.observing import find_probe, observe

__all__ = ["Case", "Failure", "Observations", "Observed", "Probe", "find_probe", "observe"]
