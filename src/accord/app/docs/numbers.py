"""Every number of the rule set, with the words it comes from."""

from pathlib import Path

from accord import standard
from accord.app.docs.markdown import code, page, table
from accord.standard.model import Number

_LEGEND = """\
A number of the standard stands in its clause file and nowhere in the code. It has a version, a unit
and the words of the clause that name it, or the reading that proposes it where the text is silent
([Readings](readings.md)). What uses it stands in the [clause matrix](clauses.md). A site changes a
number by its own file in `ACCORD_RULES_DIR`."""

_HEADING = ("number", "value", "unit", "words of the text", "reading", "whose", "note")


def numbers(_root: Path) -> str:
    """Return the page of numbers, in the order of the text."""
    rule_set = standard.published()
    quoted = sum(1 for number in rule_set.numbers.values() if number.quote)
    return page(
        f"Numbers ({rule_set.version})",
        _LEGEND,
        f"{len(rule_set.numbers)} numbers, {quoted} of them in words of the text.",
        table(_HEADING, map(_row, rule_set.numbers.values())),
    )


def _row(number: Number) -> tuple[str, ...]:
    return (
        code(number.key),
        f"{number.operator} {number.value}" if number.operator else str(number.value),
        number.unit,
        f"「{number.quote}」" if number.quote else "",
        number.reading or "",
        number.jurisdiction,
        number.note or "",
    )
