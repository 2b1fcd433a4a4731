"""The rules of clause 7.1 that ask about one study; importing this registers them."""

from accord.dataquality.rules.completeness import is_complete, is_present
from accord.dataquality.rules.consistency import is_consistent
from accord.dataquality.rules.format import is_lossless

RULES = (is_lossless, is_consistent, is_present, is_complete)
"""In the order in which they are asked about a study."""

__all__ = ["RULES", "is_complete", "is_consistent", "is_lossless", "is_present"]
