"""The register of readings and drafting defects, with where each is used."""

from pathlib import Path

from accord import standard
from accord.app.docs.markdown import code, page, table
from accord.standard.model import Defect, Reading, RuleSet

_LEGEND = """\
The standard is a draft, and in places silent, unclear or at odds with itself. Every choice this
product makes there is a reading: it has an owner who may change it, and every answer names the
readings it used. A reading with a switch can be set by a site in `ACCORD_RULES_DIR`:

```yaml
because: which decision of which authority
switches: {accept_cr_reader: true}
numbers:
  6.5/window: {2025-draft: 3}
in_force:
  2025-draft: {重庆: 2027-01-01}
```"""


def readings(_root: Path) -> str:
    """Return the page of readings and drafting defects."""
    rule_set = standard.published()
    used = _uses(rule_set)
    return page(
        "Readings and drafting defects",
        _LEGEND,
        f"## Readings\n\n{len(rule_set.readings)} readings.",
        table(
            ("reading", "what is decided", "owner", "date", "switch", "used by"),
            (_row(reading, used) for reading in rule_set.readings.values()),
        ),
        "## Drafting defects",
        table(
            ("defect", "where", "what", "what the software does", "reading"),
            (
                (
                    f"**{defect.id}**",
                    defect.where,
                    defect.defect,
                    defect.answer,
                    defect.reading or "",
                )
                for defect in rule_set.defects.values()
            ),
        ),
    )


def _row(reading: Reading, used: dict[str, list[str]]) -> tuple[str, ...]:
    switch = reading.switch
    choice = "" if switch is None else f"{code(switch.name)} = {str(switch.value).lower()}"
    return (
        f"**{reading.id}**",
        f"{reading.title}. {reading.text}",
        reading.owner,
        reading.decided_on.isoformat(),
        choice,
        ", ".join(used.get(reading.id, [])) or f"({reading.unused_because})",
    )


def _defect(defect: Defect) -> tuple[str, ...]:
    return (
        f"**{defect.id}**",
        defect.where,
        defect.defect,
        defect.answer,
        defect.reading or "",
    )


def _uses(rule_set: RuleSet) -> dict[str, list[str]]:
    """Return what cites each reading: rules, then numbers, tables and defects."""
    used: dict[str, list[str]] = {}
    citations: list[tuple[str | None, str]] = [
        *((name, rule.id) for rule in rule_set.rules.values() for name in rule.readings),
        *((number.reading, number.key) for number in rule_set.numbers.values()),
        *((table.reading, table.key) for table in rule_set.tables.values()),
        *((defect.reading, defect.id) for defect in rule_set.defects.values()),
    ]
    for name, user in citations:
        if name is not None:
            used.setdefault(name, []).append(user)
    return used
