"""The standard as data: clauses, numbers by version, the register of readings, who answers what."""

from functools import lru_cache
from pathlib import Path

from accord.kit.settings import get_settings
from accord.standard.answers import RULES, rule
from accord.standard.fields import accuracy_groups, element, elements, groups
from accord.standard.files import assemble, package, site
from accord.standard.model import RuleSet

__all__ = ["RULES", "accuracy_groups", "element", "elements", "groups", "load", "published", "rule"]


def load(version: str = "2025-draft") -> RuleSet:
    """Return a version of the standard as it applies at this site, read once.

    The package's files give every number and reading; files in `ACCORD_RULES_DIR` may change
    numbers of a version and switch readings.
    """
    return _load(version, get_settings().rules_dir)


def published(version: str = "2025-draft") -> RuleSet:
    """Return a version as it comes with the product, without what this site changed."""
    return _load(version, None)


@lru_cache(maxsize=16)
def _load(version: str, own: Path | None) -> RuleSet:
    return assemble(version, package(), site(own))
