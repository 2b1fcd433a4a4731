"""The rules of clause 7.3 that headers can answer; importing this registers them."""

from accord.imagequality.rules.ct import is_complete_and_in_order
from accord.imagequality.rules.mr import is_shown_one_way

RULES = (is_complete_and_in_order, is_shown_one_way)
"""In the order in which they are asked about a study."""

__all__ = ["RULES", "is_complete_and_in_order", "is_shown_one_way"]
