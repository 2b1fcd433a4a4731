"""The lexicon of names: files that a radiographer can read and extend, and what is built of them.

Parts, views and other words stand in `lexicon/*.yaml`; `grammar.yaml` says how they work together.
A site adds its own files of the same form (a folder of its own, read after the package's).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from accord.catalogue.names.errors import BrokenLexicon
from accord.catalogue.names.text import fold, tokens

FILES: Final = {"parts.yaml": "part", "views.yaml": "view", "words.yaml": None}
MODALITIES: Final = ("DR", "CT", "MR")
LEAST_TYPED: Final = 5
"""Shorter words are never taken for a mistyped one: too many of them are one letter apart."""

END: Final = ""
Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase of an entry."""

    text: str
    entry: str
    grown: bool = False

    @property
    def key(self) -> str:
        """Return the word as its tokens, in which punctuation does not matter."""
        return " ".join(tokens(self.text))


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that words name, with what the files say about it."""

    id: str
    category: str
    tells: Mapping[str, Any]
    terms: tuple[Term, ...]

    def get(self, key: str, default: Any = None) -> Any:
        """Return one line of the file, or the default."""
        return self.tells.get(key, default)


@dataclass(frozen=True)
class Lexicon:
    """All entries, the grammar, and the trie of their words."""

    entries: Mapping[str, Entry]
    grammar: Mapping[str, Any]
    trie: Node = field(repr=False, compare=False)
    words: Mapping[str, frozenset[str]] = field(repr=False, compare=False)

    @cached_property
    def near_words(self) -> Mapping[str, frozenset[str]]:
        """Return every long word by each of the forms that lack one letter of it.

        A word that is itself one slip away from another (tspine, lspine) is left out: which of
        them was meant cannot be told.
        """
        near: dict[str, set[str]] = {}
        for word in self.words:
            if len(word) >= LEAST_TYPED and word.isascii():
                for form in lacking_one(word):
                    near.setdefault(form, set()).add(word)
        beside: dict[str, set[str]] = {}
        for form, found in near.items():
            beside.setdefault(form, set()).update(found)
            for word in found:
                beside.setdefault(word[1:], set()).add(word)
        crowded = {
            word
            for found in beside.values()
            for word in found
            if any(not self.words[word] & self.words[other] for other in found - {word})
        }
        return {form: frozenset(found - crowded) for form, found in near.items()}

    @cached_property
    def ancestors(self) -> Mapping[str, tuple[str, ...]]:
        """Return for each part the larger parts it lies in, nearest first."""
        found: dict[str, tuple[str, ...]] = {}
        for name, entry in self.entries.items():
            if entry.category == "part":
                chain: list[str] = []
                up = entry.get("in")
                while up and up not in chain:
                    chain.append(up)
                    parent = self.entries.get(up)
                    up = parent.get("in") if parent else None
                found[name] = tuple(chain)
        return found

    def region(self, part: str) -> str:
        """Return the largest part that this one lies in."""
        chain = self.ancestors.get(part, ())
        return chain[-1] if chain else part

    def lies_in(self, part: str, larger: str) -> bool:
        """Say whether one part is inside the other."""
        return larger in self.ancestors.get(part, ())

    def terms(self) -> Iterator[Term]:
        """Yield every word of every entry."""
        for entry in self.entries.values():
            yield from entry.terms

    def without(self, texts: Collection[str]) -> "Lexicon":
        """Return the lexicon without the words of these keys."""
        entries = {
            name: Entry(
                name,
                entry.category,
                entry.tells,
                tuple(term for term in entry.terms if term.key not in texts),
            )
            for name, entry in self.entries.items()
        }
        return assemble(entries, self.grammar)


def lacking_one(word: str) -> Iterator[str]:
    """Yield the word and every form of it that lacks one letter but the first."""
    yield word
    for position in range(1, len(word)):
        yield word[:position] + word[position + 1 :]


@lru_cache(maxsize=4)
def load(site: Path | None = None) -> Lexicon:
    """Return the package's lexicon, with the files of a site's folder read after it."""
    package = files("accord.catalogue.names") / "lexicon"
    sources: list[tuple[str, str]] = [
        (name, (package / name).read_text(encoding="utf-8")) for name in (*FILES, "grammar.yaml")
    ]
    if site is not None:
        sources += [
            (name, (site / name).read_text(encoding="utf-8"))
            for name in (*FILES, "grammar.yaml")
            if (site / name).exists()
        ]
    return read(sources)


def read(sources: Sequence[tuple[str, str]]) -> Lexicon:
    """Build a lexicon of (file name, YAML text) pairs; a later file adds to an earlier one.

    Raises:
        BrokenLexicon: A file cannot be read, or an entry misses what its category needs.
    """
    raw: dict[str, dict[str, Any]] = {}
    grammar: dict[str, Any] = {}
    for name, text in sources:
        try:
            content = yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            raise BrokenLexicon(f"{name}: {error}", file=name) from error
        if not isinstance(content, dict):
            raise BrokenLexicon(f"{name} must hold entries by name.", file=name)
        if name == "grammar.yaml":
            grammar |= content
            continue
        for key, tells in content.items():
            _add(raw, str(key), tells, FILES.get(name), name)
    entries = {name: _entry(name, tells) for name, tells in raw.items()}
    _check(entries, grammar)
    return assemble(entries, grammar)


def _add(
    raw: dict[str, dict[str, Any]], key: str, tells: Any, category: str | None, file: str
) -> None:
    if not isinstance(tells, dict):
        raise BrokenLexicon(f"{file}: {key} needs `terms`.", file=file)
    tells = {"category": category or tells.get("is"), **tells}
    before = raw.get(key)
    if before is None:
        raw[key] = tells
        return
    for words in ("terms", "grown"):
        both = [part for part in (before.get(words), tells.get(words)) if part]
        if both:
            tells[words] = ", ".join(both)
    raw[key] = before | tells


def _entry(name: str, tells: Mapping[str, Any]) -> Entry:
    if not tells.get("category"):
        raise BrokenLexicon(f"{name} does not say what it is.", entry=name)
    terms: dict[str, Term] = {}
    for words, grown in (("terms", False), ("grown", True)):
        for word in str(tells.get(words) or "").split(","):
            text = fold(word.strip())
            if text:
                terms.setdefault(text, Term(text, name, grown))
    return Entry(name, tells["category"], tells, tuple(terms.values()))


def _check(entries: Mapping[str, Entry], grammar: Mapping[str, Any]) -> None:
    named = [
        *((up, name) for name, entry in entries.items() if (up := entry.get("in"))),
        *((part, "fuse") for rule in grammar.get("fuse", ()) for part in (*rule["of"], rule["is"])),
        *((part, "promote") for part in grammar.get("promote", {}).values()),
    ]
    for part, where in named:
        if part not in entries and part not in {"盆部", "面部"}:
            raise BrokenLexicon(f"{where} names the part {part}, which no entry has.", part=part)
    owners: dict[tuple[str, ...], str] = {}
    for entry in entries.values():
        for term in entry.terms:
            key = tuple(tokens(term.text))
            other = owners.setdefault(key, entry.id)
            if other != entry.id and not _may_share(entries[other], entry):
                raise BrokenLexicon(f"{term.text} stands in {other} and in {entry.id}.")


def _may_share(one: Entry, other: Entry) -> bool:
    """Allow a word to be a view in plain films and something else in CT and MR."""
    return (one.category == "view") != (other.category == "view")


def assemble(entries: Mapping[str, Entry], grammar: Mapping[str, Any]) -> Lexicon:
    """Build the trie and the list of words of these entries."""
    trie: Node = {}
    words: dict[str, set[str]] = {}
    for entry in entries.values():
        for term in entry.terms:
            cut = tokens(term.text)
            for word in cut:
                words.setdefault(word, set()).add(entry.id)
            _plant(trie, cut, entry)
    return Lexicon(
        entries, grammar, trie, {word: frozenset(owners) for word, owners in words.items()}
    )


def _plant(trie: Node, cut: Iterable[str], entry: Entry) -> None:
    node = trie
    for token in cut:
        node = node.setdefault(token, {})
    found: list[Entry] = node.setdefault(END, [])
    if entry not in found:
        found.append(entry)
