"""The rules of clause 7.1; importing this registers them.

Those about one study take its evidence, its clocks or its statements; continuity and the figures
are about an institution.
"""

from accord.dataquality.rules.accuracy import is_accurate
from accord.dataquality.rules.completeness import is_complete, is_present
from accord.dataquality.rules.consistency import is_consistent
from accord.dataquality.rules.continuity import is_continuous
from accord.dataquality.rules.format import is_lossless
from accord.dataquality.rules.timeliness import TIMED

RULES = (is_lossless, is_consistent, is_present, is_complete)
"""In the order in which they are asked about a study; recognition reads these and no others."""

RECOGNITION = frozenset({"R7.1-0", "R7.1.2", "R7.1.3-0", "R7.1.3"})
"""Ids of the rules whose findings recognition reads."""

__all__ = [
    "RECOGNITION",
    "RULES",
    "TIMED",
    "is_accurate",
    "is_complete",
    "is_consistent",
    "is_continuous",
    "is_lossless",
    "is_present",
]
