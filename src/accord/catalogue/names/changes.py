"""What a changed lexicon can change: only names that hold a changed word or used a changed entry.

A name with words that nobody knew, or that were taken for mistyped ones, can be moved by any new
word (it may be one letter away).
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accord.catalogue.names.lexicon import Lexicon
from accord.catalogue.names.text import fold, tokens

GRAMMAR = "grammar"


@dataclass(frozen=True)
class Snapshot:
    """What a lexicon was: for each entry a digest of its lines, and its words."""

    digests: Mapping[str, str]
    words: Mapping[str, tuple[str, ...]]

    @property
    def fingerprint(self) -> str:
        """Return the name of this state of the lexicon."""
        both = json.dumps([self.digests, self.words], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(both.encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Return the snapshot as JSON."""
        return {"digests": dict(self.digests), "words": {k: list(v) for k, v in self.words.items()}}

    @classmethod
    def of_dict(cls, content: Mapping[str, Any]) -> "Snapshot":
        """Read what `as_dict` wrote."""
        return cls(content["digests"], {k: tuple(v) for k, v in content["words"].items()})


@dataclass(frozen=True)
class Change:
    """The entries and words in which two lexicons differ; a changed grammar can move anything."""

    entries: frozenset[str]
    words: frozenset[str]
    grammar: bool

    def can_move(
        self, texts: Iterable[str], used: Collection[str], unread: Collection[str]
    ) -> bool:
        """Say whether a name with these texts and this earlier reading may be read differently."""
        if self.grammar or (unread and self.words) or self.entries & frozenset(used):
            return True
        return any(
            _holds(f" {' '.join(tokens(fold(text)))} ", self.words) for text in texts if text
        )


def _holds(text: str, words: Iterable[str]) -> bool:
    return any(f" {word} " in text for word in words)


def snapshot(lexicon: Lexicon) -> Snapshot:
    """Return what a lexicon is now."""
    digests = {
        name: _digest({k: v for k, v in entry.tells.items() if k not in {"terms", "grown"}})
        for name, entry in lexicon.entries.items()
    }
    digests[GRAMMAR] = _digest(lexicon.grammar)
    words = {
        name: tuple(sorted({term.key for term in entry.terms}))
        for name, entry in lexicon.entries.items()
    }
    return Snapshot(digests, words)


def _digest(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def between(old: Snapshot, new: Snapshot) -> Change:
    """Return in what two snapshots differ."""
    names = {*old.digests, *new.digests} - {GRAMMAR}
    entries = frozenset(name for name in names if old.digests.get(name) != new.digests.get(name))
    words: set[str] = set()
    for name in names:
        words |= set(old.words.get(name, ())) ^ set(new.words.get(name, ()))
    return Change(entries, frozenset(words), old.digests.get(GRAMMAR) != new.digests.get(GRAMMAR))
