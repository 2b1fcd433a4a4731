"""Bring every rule of every package together, so that each answer is registered under its id."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping

import accord
from accord.standard import RULES
from accord.standard.answers import Answer

_PURE = {"rules", "checks"}


def all_answers() -> Mapping[str, Answer]:
    """Import all rules and checks, and return the functions that answer by rule id."""
    for name in sorted(_rule_modules()):
        importlib.import_module(name)
    return RULES


def _rule_modules() -> Iterator[str]:
    """Name the rules and checks of each package with all inside, without importing the rest."""
    for package in pkgutil.iter_modules(accord.__path__, "accord."):
        if not package.ispkg:
            continue
        inside = importlib.import_module(package.name)
        for part in pkgutil.iter_modules(inside.__path__, f"{package.name}."):
            if part.name.rsplit(".", 1)[1] not in _PURE:
                continue
            yield part.name
            if part.ispkg:
                rules = importlib.import_module(part.name)
                yield from (m.name for m in pkgutil.walk_packages(rules.__path__, f"{part.name}."))
