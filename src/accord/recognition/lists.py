"""The lists of clause 6 as data, read once: relations of parts and views, follow-up, diseases."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from accord.catalogue.model import Modality
from accord.recognition.model import Position, Procedure

Pair = frozenset[str]


@dataclass(frozen=True, slots=True)
class Contained:
    """Parts of a whole; with `only_if`, where that switch is on."""

    whole: str
    parts: frozenset[str]
    only_if: str | None = None


@dataclass(frozen=True, slots=True)
class Relations:
    """How parts of the body and views relate (R6.3-2)."""

    accepts: Mapping[str, frozenset[str]]
    never_pa: frozenset[Position]
    contained: tuple[Contained, ...]
    near: Mapping[Modality, frozenset[Pair]]
    near_views: frozenset[tuple[Modality, str, Pair]]
    similar: frozenset[Pair]

    def accepted(self, view: str) -> frozenset[str]:
        """Return the acquired views that answer an ordered one."""
        return self.accepts.get(view, frozenset({view}))


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists that the QC centres own."""

    follow_up_words: tuple[str, ...]
    follow_up_procedures: frozenset[Procedure]
    fast_changing: Mapping[str, str]
    cr_readers: frozenset[str]


@lru_cache(maxsize=1)
def relations() -> Relations:
    """Return the relations that come with the product."""
    given = _read("relations.yaml")
    return Relations(
        accepts={view: frozenset(accepted) for view, accepted in given["accepts"].items()},
        never_pa=frozenset(map(Position, given["never_pa"])),
        contained=tuple(
            Contained(entry["whole"], frozenset(entry["parts"]), entry.get("only_if"))
            for entry in given["contains"]
        ),
        near={Modality(name): _pairs(pairs) for name, pairs in given["near"].items()},
        near_views=frozenset(
            (Modality(name), entry["anatomy"], frozenset(entry["views"]))
            for name, entries in given["near_views"].items()
            for entry in entries
        ),
        similar=_pairs(given["similar"]),
    )


@lru_cache(maxsize=1)
def lists() -> Lists:
    """Return the lists that come with the product."""
    given = _read("lists.yaml")
    return Lists(
        follow_up_words=tuple(given["follow_up"]["words"]),
        follow_up_procedures=frozenset(map(Procedure, given["follow_up"]["procedures"])),
        fast_changing={entry["code"]: entry["name"] for entry in given["fast_changing"]},
        cr_readers=frozenset(given["cr_readers"]),
    )


def _read(name: str) -> Any:
    return yaml.safe_load((files("accord.recognition") / name).read_text(encoding="utf-8"))


def _pairs(pairs: list[list[str]]) -> frozenset[Pair]:
    return frozenset(frozenset(pair) for pair in pairs)
