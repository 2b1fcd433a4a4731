"""The import of a region: the same file twice changes nothing; bad rows change nothing at all."""

import re
from datetime import date
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Connection, text

from accord.kit.access import Actor
from accord.registry import service
from accord.registry.errors import BadEntry, CannotGrant
from accord.registry.model import Level
from support.region import make_region

IMPORT = Actor.process("registry.import")
ON = date(2026, 3, 1)


def count_rows(conn: Connection) -> dict[str, int]:
    names = "institution consortium_member device device_test staff list_entry qualification post"
    return {
        name: conn.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
        for name in names.split()
    }


def test_region_is_taken_in_whole(conn: Connection):
    counts = service.import_region(conn, IMPORT, make_region())
    assert counts["institutions"] == {"taken": 6, "known": 0}
    found = service.find_institution(conn, "CQ-A2", ON)
    assert found is not None
    assert (found.level, found.grade, found.level_is_own) == (Level.THIRD, "甲等", False)
    assert service.institution_of_ae(conn, "CQA_PACS") == "CQ-A"


def test_same_region_twice_changes_nothing(conn: Connection):
    service.import_region(conn, IMPORT, make_region())
    before = count_rows(conn)
    counts = service.import_region(conn, IMPORT, make_region())
    assert count_rows(conn) == before
    assert all(count["taken"] == 0 for count in counts.values())


def test_import_again_does_not_undo_what_people_changed(conn: Connection):
    service.import_region(conn, IMPORT, make_region())
    day = date(2026, 5, 1)
    service.change_institution(conn, IMPORT, "CQ-B", day, {"level": Level.THIRD})
    service.suspend(conn, IMPORT, "Q-CQ-A-CT", day, "抽查不合格")
    service.import_region(conn, IMPORT, make_region())
    promoted = service.find_institution(conn, "CQ-B", day)
    suspended = service.find_qualification(conn, "Q-CQ-A-CT", day)
    assert promoted is not None
    assert promoted.level is Level.THIRD
    assert suspended is not None
    assert suspended.state == "suspended"


@pytest.mark.parametrize(
    ("kind", "row", "words"),
    [
        ("institutions", {"code": "X", "name": "某院", "level": "四级"}, "机构级别"),
        ("posts", {"login": "a", "role": "king", "institution": "CQ-A"}, "role"),
        ("ae_titles", {"title": "TOO_LONG_FOR_AN_AE_TITLE", "institution": "CQ-A"}, "title"),
        ("devices", {"institution": "CQ-A", "serial": "1", "kind": "CT", "color": "red"}, "color"),
    ],
)
def test_bad_row_is_named(conn: Connection, kind: str, row: dict[str, str], words: str):
    with pytest.raises(BadEntry, match=words):
        service.import_region(conn, IMPORT, make_region(**{kind: [row]}))


def test_row_of_an_unknown_institution_is_refused(conn: Connection):
    staff = [{"institution": "NOWHERE", "code": "1", "name": "某", "profession": "physician"}]
    with pytest.raises(BadEntry, match="NOWHERE"):
        service.import_region(conn, IMPORT, make_region(staff=staff))


def test_qualification_without_basis_is_refused(conn: Connection):
    row = {
        "institution": "CQ-A",
        "scope_kind": "modality",
        "scope_value": "MR",
        "mark_scope": "川渝",
        "basis": "inspection",
        "centre": "CQ-QC",
    }
    with pytest.raises(CannotGrant, match="没有线下质量抽查记录"):
        service.import_region(conn, IMPORT, make_region(qualifications=[row]))


def test_example_of_the_manual_can_be_taken_in(conn: Connection):
    manual = Path(__file__).parents[3] / "docs" / "how-to" / "registry.md"
    [example] = re.findall(r"```yaml\n(.*?)```", manual.read_text(encoding="utf-8"), re.DOTALL)
    counts = service.import_region(conn, IMPORT, yaml.safe_load(example))
    assert counts["qualifications"] == {"taken": 1, "known": 0}
    assert service.list_status(conn, "CQ-A", ON).listed is True
    device = service.find_device(conn, "CQ-A", "CT-001", ON)
    assert device is not None
    assert device.is_tested_on(ON)
