"""The matcher: name and fields in, one of five answers out, with parts, reasons and confidence."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from accord import catalogue
from accord.catalogue.model import Catalogue, Side
from accord.catalogue.names import confidence, lexicon
from accord.catalogue.names.deciding import Decider
from accord.catalogue.names.lexicon import Lexicon
from accord.catalogue.names.model import Answer, Kind, Parts, Query
from accord.catalogue.names.outcome import Outcome
from accord.catalogue.names.parser import parse
from accord.catalogue.names.text import MOST_CHARACTERS
from accord.catalogue.names.voting import Evidence, weigh
from accord.kit.settings import get_settings


@dataclass(frozen=True)
class Matcher:
    """Matches names with one catalogue and one lexicon."""

    catalogue: Catalogue
    lexicon: Lexicon
    table: confidence.Table
    _decider: Decider = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_decider", Decider(self.catalogue, self.lexicon))

    def match(self, query: Query) -> Answer:
        """Return the answer to one name with its fields; never raises for what the text holds."""
        if len(query.name) > MOST_CHARACTERS:
            return Answer(
                Kind.AMBIGUOUS,
                because=(f"名称长达{len(query.name)}个字符，不按项目名称识别",),
                confidence=self.table.of(("too long",)),
            )
        printed = self._printed(query)
        if printed is not None:
            return printed
        evidence = weigh(query, self.lexicon)
        outcome = self._decider.decide(evidence)
        return self._answer(evidence, outcome)

    def ways(self, query: Query) -> tuple[str, ...]:
        """Return the ways by which the answer to a query is reached."""
        if len(query.name) > MOST_CHARACTERS:
            return ("too long",)
        evidence = weigh(query, self.lexicon)
        return confidence.features(evidence, self._decider.decide(evidence))

    def words_of(self, query: Query) -> frozenset[str]:
        """Return the words of the lexicon that stand in name and fields."""
        return weigh(query, self.lexicon).words

    def part_words_of(self, query: Query) -> frozenset[str]:
        """Return the words for parts of the body in name and fields."""
        return weigh(query, self.lexicon).part_words

    def words_of_text(self, text: str) -> frozenset[str]:
        """Return the words of the lexicon in one text, read as a film and as a scan."""
        return parse(text, self.lexicon).words | parse(text, self.lexicon, films=True).words

    def match_all(self, queries: Iterable[Query]) -> Iterator[Answer]:
        """Yield the answer to each query, in order."""
        for query in queries:
            yield self.match(query)

    def _printed(self, query: Query) -> Answer | None:
        """Return the item whose code was sent, unless the fields contradict it."""
        if not query.code.strip().upper().startswith(catalogue.model.CODE_PREFIX):
            return None
        item = self.catalogue.by_code(query.code)
        if item is None:
            return None
        evidence = weigh(replace(query, code=""), self.lexicon)
        outcome = self._decider.decide(evidence)
        named = evidence.groups or evidence.whole.modalities
        if named and outcome.items and item.no not in outcome.items:
            return self._answer(
                evidence,
                Outcome(
                    Kind.AMBIGUOUS,
                    tuple(sorted({item.no, *outcome.items})),
                    (f"项目编码为第{item.no}项，名称与影像字段为其他项目",),
                ),
            )
        return self._answer(evidence, Outcome(Kind.ITEM, (item.no,), (f"项目编码{item.code}",)))

    def _answer(self, evidence: Evidence, outcome: Outcome) -> Answer:
        features = confidence.features(evidence, outcome)
        certain = self.table.of(features)
        answer = Answer(
            kind=outcome.kind,
            items=outcome.items,
            confidence=certain,
            because=outcome.because,
            parts=parts_of(evidence),
            contradictions=evidence.contradictions,
            assumptions=outcome.assumptions,
            more=outcome.more,
            concepts=evidence.concepts,
        )
        if self.table.is_unsure(outcome.kind, features):
            return replace(
                answer,
                kind=Kind.AMBIGUOUS,
                because=(*answer.because, f"把握不足（{certain:.2f}）"),
            )
        return answer


def parts_of(evidence: Evidence) -> Parts:
    """Return the parts of all groups together."""
    groups = evidence.groups or (evidence.whole,)
    sides = set().union(*(group.sides for group in groups)) - {"either"}
    contrasts = set().union(*(group.contrasts for group in groups))
    contrast = "enhanced" if "enhanced" in contrasts else "plain" if "plain" in contrasts else None
    films = evidence.modality == "DR"
    ages = sorted(set().union(*(group.ages for group in groups)))
    return Parts(
        modality=evidence.modality,
        anatomy=tuple(group.part for group in groups if group.part),
        laterality=Side.BOTH if len(sides) > 1 else Side(sides.pop()) if sides else Side.NONE,
        contrast=contrast,
        projections=frozenset().union(*(group.views for group in groups)) if films else frozenset(),
        techniques=tuple(
            dict.fromkeys(x for group in groups for x in (*group.techniques, *group.extra))
        ),
        age_group=ages[0] if ages else None,
        modifiers=tuple(sorted(set().union(*(group.positions for group in groups)))),
        add_ons=tuple(dict.fromkeys(name for group in groups for name, _ in group.fees)),
        unread=evidence.unread,
        guessed=evidence.guessed,
    )


def load(version: str = "2025-draft") -> Matcher:
    """Return the matcher of a catalogue version, with the words of the site's own files.

    A site adds words in the folder `names` of ACCORD_RULES_DIR, in files of the same names and form
    as the package's.
    """
    folder = get_settings().rules_dir
    own = folder / "names" if folder is not None else None
    return _load(version, own if own is not None and own.is_dir() else None)


@lru_cache(maxsize=4)
def _load(version: str, site: Path | None) -> Matcher:
    return Matcher(catalogue.load(version), lexicon.load(site), confidence.load())
