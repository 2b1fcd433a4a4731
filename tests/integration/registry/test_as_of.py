"""Reads as of a day, changes that keep history, rows that only their authority changes."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, text

from accord.kit import clock, db
from accord.kit.access import Actor, ActorKind, Post
from accord.kit.db import Database
from accord.registry import model as m
from accord.registry import roles, service, store
from accord.registry.errors import BadEntry, BadState, CannotGrant, NotRegistered, OutsideScope
from accord.registry.tables import institution as institution_table
from support.region import make_region

IMPORT = Actor.process("test.import")
CQ = Actor(ActorKind.PERSON, "wjw.cq", "重庆", authority="CQ-WJW")
SC = Actor(ActorKind.PERSON, "wjw.sc", "四川", authority="SC-WJW")
CQ_QC = Actor(ActorKind.PERSON, "qc.cq", "质控", authority="CQ-QC")
SC_QC = Actor(ActorKind.PERSON, "qc.sc", "质控", authority="SC-QC")
MARCH, MAY = date(2026, 3, 1), date(2026, 5, 1)


@pytest.fixture(autouse=True)
def region(conn: Connection) -> None:
    service.import_region(conn, IMPORT, make_region())


def level_on(conn: Connection, code: str, day: date) -> m.Level | None:
    found = service.find_institution(conn, code, day)
    return found.level if found else None


# --- institutions -------------------------------------------------------------------------------


def test_promotion_counts_from_its_day(conn: Connection):
    service.change_institution(conn, CQ, "CQ-B", MAY, {"level": m.Level.THIRD})
    assert level_on(conn, "CQ-B", date(2026, 4, 30)) is m.Level.SECOND
    assert level_on(conn, "CQ-B", MAY) is m.Level.THIRD
    assert level_on(conn, "CQ-B", date(2023, 12, 31)) is None


def test_campus_follows_the_level_of_its_holder(conn: Connection):
    service.change_institution(conn, CQ, "CQ-A", MAY, {"level": m.Level.SECOND})
    assert level_on(conn, "CQ-A2", date(2026, 4, 30)) is m.Level.THIRD
    assert level_on(conn, "CQ-A2", MAY) is m.Level.SECOND
    service.change_institution(conn, CQ, "CQ-A2", MAY, {"level": m.Level.FIRST})
    assert level_on(conn, "CQ-A2", MAY) is m.Level.FIRST


def test_correction_of_the_past_keeps_what_was_said_before(conn: Connection):
    with clock.freeze(datetime(2027, 6, 1, 4, tzinfo=UTC)):
        service.change_institution(conn, CQ, "CQ-B", date(2025, 1, 1), {"name": "云阳县人民医院"})
    versions = service.history(conn, "institution", code="CQ-B")
    assert [row["name"] for row in versions] == ["云阳县医院", "云阳县医院", "云阳县人民医院"]
    assert [row["superseded_at"] is None for row in versions] == [False, True, True]
    # as it was known before the correction
    condition = store.holds(institution_table, MARCH, datetime(2027, 5, 31, tzinfo=UTC))
    known = conn.execute(
        institution_table.select().where(condition, institution_table.c.code == "CQ-B")
    )
    assert [row.name for row in known] == ["云阳县医院"]


def test_a_period_inside_another_splits_it(conn: Connection):
    before = service.find_institution(conn, "CQ-B", MARCH)
    assert before is not None
    inside = replace(before, area="临时", valid_from=date(2026, 4, 1), valid_to=date(2026, 4, 11))
    assert service.put_institution(conn, CQ, inside)
    areas = [service.find_institution(conn, "CQ-B", date(2026, 4, day)).area for day in (1, 10, 11)]
    assert areas == ["临时", "临时", ""]
    assert service.find_institution(conn, "CQ-B", date(2026, 3, 31)).area == ""


def test_the_same_statement_twice_changes_nothing(conn: Connection):
    before = service.find_institution(conn, "CQ-B", MARCH)
    assert before is not None
    assert not service.put_institution(conn, CQ, before)
    assert len(service.history(conn, "institution", code="CQ-B")) == 1


def test_no_two_rows_hold_on_one_day_after_many_changes(conn: Connection):
    for month, level in (
        (7, m.Level.THIRD),
        (3, m.Level.FIRST),
        (5, m.Level.SECOND),
        (1, m.Level.THIRD),
    ):
        service.change_institution(conn, CQ, "CQ-B", date(2026, month, 1), {"level": level})
    overlaps = conn.execute(
        text(
            "SELECT count(*) FROM institution a JOIN institution b ON a.code = b.code"
            " AND a.row_id < b.row_id AND a.superseded_at IS NULL AND b.superseded_at IS NULL"
            " AND daterange(a.valid_from, a.valid_to) && daterange(b.valid_from, b.valid_to)"
        )
    ).scalar()
    assert overlaps == 0
    assert level_on(conn, "CQ-B", date(2026, 2, 1)) is m.Level.THIRD
    assert level_on(conn, "CQ-B", date(2026, 4, 1)) is m.Level.FIRST
    assert level_on(conn, "CQ-B", date(2026, 6, 1)) is m.Level.SECOND
    assert level_on(conn, "CQ-B", date(2026, 8, 1)) is m.Level.THIRD


def test_ended_institution_is_gone_from_its_day_on(conn: Connection):
    service.end_institution(conn, CQ, "CQ-P", MAY)
    assert service.find_institution(conn, "CQ-P", date(2026, 4, 30)) is not None
    assert service.find_institution(conn, "CQ-P", MAY) is None
    with pytest.raises(NotRegistered):
        service.end_institution(conn, CQ, "CQ-P", MAY)


def test_campus_needs_a_holder_that_is_none(conn: Connection):
    campus = service.find_institution(conn, "CQ-A2", MARCH)
    assert campus is not None
    with pytest.raises(BadEntry, match="院区"):
        service.put_institution(conn, CQ, replace(campus, code="CQ-A3", licence_holder="CQ-A2"))
    with pytest.raises(BadEntry, match="未登记"):
        service.put_institution(conn, CQ, replace(campus, code="CQ-A3", licence_holder="NONE"))
    with pytest.raises(BadEntry, match="须登记级别"):
        service.put_institution(conn, CQ, replace(campus, code="CQ-A3", licence_holder="CQ-A3"))


# --- scope of authorities -----------------------------------------------------------------------


def test_authority_changes_only_its_own_rows(conn: Connection):
    with pytest.raises(OutsideScope):
        service.change_institution(conn, SC, "CQ-B", MAY, {"level": m.Level.THIRD})
    taken_over = replace(service.find_institution(conn, "CQ-B", MARCH), authority="SC-WJW")
    with pytest.raises(OutsideScope):
        service.put_institution(conn, SC, taken_over)
    with pytest.raises(OutsideScope):
        service.end_institution(conn, SC, "CQ-B", MAY)
    with pytest.raises(OutsideScope):
        service.end_consortium(conn, SC, "CQ-YY-YGT", MAY)
    with pytest.raises(OutsideScope):
        service.end_membership(conn, SC, "CQ-YY-YGT", "CQ-C", MAY)
    with pytest.raises(OutsideScope):
        service.end_device(conn, SC, "CQ-A.CT-001", MAY)
    with pytest.raises(OutsideScope):
        service.end_staff(conn, SC, "CQ-A", "R01", MAY)
    with pytest.raises(OutsideScope):
        service.end_entry(conn, SC, "CQ-2024-1", "CQ-A", MAY)
    with pytest.raises(OutsideScope):
        service.bind_ae_title(conn, SC, "CQA_PACS", "SC-A", MAY)
    assert level_on(conn, "CQ-B", MAY) is m.Level.SECOND


def test_list_names_only_institutions_of_its_authority(conn: Connection):
    entry = m.ListEntry("SC-2024-1", "CQ-P", "SC-WJW", m.Jurisdiction.SICHUAN, MAY)
    with pytest.raises(OutsideScope, match="不能列入"):
        service.put_entry(conn, SC, entry)


def test_qc_centre_changes_only_its_own_qualifications(conn: Connection):
    with pytest.raises(OutsideScope):
        service.suspend(conn, SC_QC, "Q-CQ-A-CT", MAY, "抽查")
    with pytest.raises(OutsideScope):
        service.suspend(conn, CQ, "Q-CQ-A-CT", MAY, "抽查")
    with pytest.raises(OutsideScope):
        service.revoke(conn, CQ, "Q-SC-A-CT", MAY, "通知废止")
    service.revoke(conn, SC, "Q-SC-A-CT", MAY, "通知废止")
    assert service.find_qualification(conn, "Q-SC-A-CT", MAY).state == "revoked"


# --- consortia, devices, staff ------------------------------------------------------------------


def test_membership_counts_on_its_days(conn: Connection):
    assert [c.code for c in service.shared_consortia(conn, "CQ-B", "CQ-C", MARCH)] == ["CQ-YY-YGT"]
    service.end_membership(conn, CQ, "CQ-YY-YGT", "CQ-C", MAY)
    assert service.shared_consortia(conn, "CQ-B", "CQ-C", date(2026, 4, 30))[0].carries_duty
    assert service.shared_consortia(conn, "CQ-B", "CQ-C", MAY) == ()
    assert service.find_consortium(conn, "CQ-YY-YGT", MAY).members == ("CQ-B",)
    assert service.shared_consortia(conn, "CQ-A", "CQ-B", MARCH) == ()


def test_membership_of_a_dissolved_consortium_counts_no_longer(conn: Connection):
    service.end_consortium(conn, CQ, "CQ-YY-YGT", MAY)
    assert service.shared_consortia(conn, "CQ-B", "CQ-C", MAY) == ()
    assert len(service.shared_consortia(conn, "CQ-B", "CQ-C", date(2026, 4, 30))) == 1


def test_device_is_found_by_its_serial_with_its_tests(conn: Connection):
    device = service.find_device(conn, "CQ-A", " CT-001 ", MARCH)
    assert device is not None
    assert device.kind is m.DeviceKind.CT
    assert device.is_tested_on(MARCH)
    assert not device.is_tested_on(date(2027, 2, 1))
    assert service.find_device(conn, "CQ-B", "CT-001", MARCH) is None
    service.end_device(conn, CQ, device.id, MAY)
    assert service.find_device(conn, "CQ-A", "CT-001", MAY) is None


def test_serial_number_is_registered_once_an_institution(conn: Connection):
    device = service.find_device(conn, "CQ-A", "CT-001", MARCH)
    with pytest.raises(BadEntry, match="序列号"):
        service.put_device(conn, CQ, replace(device, id="OTHER", tests=()))
    with pytest.raises(BadEntry, match="复核日期"):
        service.put_device(conn, CQ, replace(device, cannot_send=frozenset({"C5.1"})))


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (m.DeviceTest(m.TestKind.STATE, True, MARCH, MARCH, None), "终止日期"),
        (m.DeviceTest(m.TestKind.STATE, True, MARCH, date(2026, 2, 1), MAY), "早于检测日期"),
        (m.DeviceTest(m.TestKind.STATE, True, MARCH, MARCH, MARCH), "晚于起始日期"),
    ],
)
def test_device_test_has_a_possible_period(conn: Connection, test: m.DeviceTest, words: str):
    with pytest.raises(BadEntry, match=words):
        service.record_test(conn, CQ, "CQ-A.CT-001", test)


def test_licence_counts_to_its_last_day(conn: Connection):
    assert service.find_staff(conn, "CQ-A", "T01", date(2026, 5, 31)) is not None
    assert service.find_staff(conn, "CQ-A", "T01", date(2026, 6, 1)) is None
    assert service.registry_complete(conn, "CQ-B", MARCH)
    assert not service.registry_complete(conn, "CQ-A", MARCH)
    assert not service.registry_complete(conn, "NOWHERE", MARCH)


# --- lists --------------------------------------------------------------------------------------


def test_listed_from_publication_to_removal(conn: Connection):
    def listed(day: date) -> bool | None:
        return service.list_status(conn, "CQ-A", day).listed

    assert listed(date(2024, 2, 29)) is None  # nothing was published then
    assert listed(date(2024, 3, 1)) is True
    service.end_entry(conn, CQ, "CQ-2024-1", "CQ-A", MAY)
    assert listed(date(2026, 4, 30)) is True
    assert listed(MAY) is False
    assert service.list_status(conn, "CQ-P", MARCH).listed is False
    assert service.list_status(conn, "NOWHERE", MARCH).listed is False


def test_draft_lists_nobody_until_it_is_published(conn: Connection):
    draft = m.InstitutionList("CQ-2", "第二批", "CQ-WJW", m.Jurisdiction.CHONGQING)
    service.put_list(conn, CQ, draft)
    entry = m.ListEntry("CQ-2", "CQ-P", "CQ-WJW", draft.jurisdiction, MARCH)
    service.put_entry(conn, CQ, entry)
    assert service.list_status(conn, "CQ-P", MAY).listed is False
    service.publish_list(conn, CQ, "CQ-2", datetime(2026, 4, 1, tzinfo=UTC))
    assert service.list_status(conn, "CQ-P", date(2026, 3, 31)).listed is False
    assert service.list_status(conn, "CQ-P", date(2026, 4, 1)).listed is True
    with pytest.raises(BadState):
        service.publish_list(conn, CQ, "CQ-2")
    with pytest.raises(BadEntry, match="发布时间"):
        service.put_list(conn, CQ, draft)


# --- qualifications -----------------------------------------------------------------------------


def state_on(conn: Connection, day: date) -> str | None:
    found = service.find_qualification(conn, "Q-CQ-A-CT", day)
    return found.state.value if found else None


def test_suspension_counts_from_its_day_that_day_included(conn: Connection):
    service.suspend(conn, CQ_QC, "Q-CQ-A-CT", MAY, "抽查不合格")
    assert state_on(conn, date(2026, 4, 30)) == "passed"
    assert state_on(conn, MAY) == "suspended"
    service.resume(conn, CQ_QC, "Q-CQ-A-CT", date(2026, 6, 1), "复查合格")
    assert state_on(conn, date(2026, 5, 31)) == "suspended"
    assert state_on(conn, date(2026, 6, 1)) == "passed"
    assert state_on(conn, date(2028, 1, 10)) is None


def test_revoked_qualification_is_never_revived(conn: Connection):
    service.revoke(conn, CQ_QC, "Q-CQ-A-CT", MAY, "严重问题")
    for step in (service.resume, service.suspend, service.revoke):
        with pytest.raises(BadState):
            step(conn, CQ_QC, "Q-CQ-A-CT", date(2026, 6, 1), "再试")
    with pytest.raises(CannotGrant, match="已使用"):
        service.grant(conn, CQ_QC, service.find_qualification(conn, "Q-CQ-A-CT", MARCH))


def test_item_is_revoked_out_of_its_family_through_later_states(conn: Connection):
    service.suspend(conn, CQ_QC, "Q-CQ-A-CT", date(2026, 6, 1), "抽查")
    service.revoke_items(conn, CQ_QC, "Q-CQ-A-CT", MAY, frozenset({107}), "增强期相不足")
    items = [
        service.find_qualification(conn, "Q-CQ-A-CT", day).revoked_items
        for day in (date(2026, 4, 30), MAY, date(2026, 7, 1))
    ]
    assert items == [frozenset(), frozenset({107}), frozenset({107})]
    assert state_on(conn, date(2026, 7, 1)) == "suspended"
    for wrong in (frozenset({95}), frozenset()):
        with pytest.raises(BadEntry, match="范围"):
            service.revoke_items(conn, CQ_QC, "Q-CQ-A-CT", MAY, wrong, "错")


def test_a_step_needs_a_reason_and_a_qualification(conn: Connection):
    with pytest.raises(BadEntry, match="理由"):
        service.suspend(conn, CQ_QC, "Q-CQ-A-CT", MAY, " ")
    with pytest.raises(NotRegistered):
        service.suspend(conn, CQ_QC, "Q-NONE", MAY, "抽查")
    with pytest.raises(NotRegistered):
        service.suspend(conn, CQ_QC, "Q-CQ-A-CT", date(2028, 1, 10), "抽查")


def test_grant_takes_rank_of_its_centre_and_is_audited(conn: Connection):
    found = service.find_qualification(conn, "Q-CQ-C-DR", MARCH)
    assert (found.centre_rank, found.scope_value) == (m.CentreRank.PREFECTURE, "DR-胸")
    actions = conn.execute(
        text("SELECT action FROM audit_entry WHERE subject = 'qualification:Q-CQ-C-DR'")
    ).scalars()
    assert actions.all() == ["registry.qualification.granted"]


def test_conclusion_never_changes_and_has_two_signatures(conn: Connection):
    record = store.find_inspection(conn, "I-CQ-A")
    assert not service.record_inspection(conn, CQ_QC, record)
    with pytest.raises(BadEntry, match="不可更改"):
        service.record_inspection(conn, CQ_QC, replace(record, passed=False))
    alone = replace(record, id="I-2", signatures=("甲", "甲"))
    with pytest.raises(BadEntry, match="两名"):
        service.record_inspection(conn, CQ_QC, alone)
    with pytest.raises(OutsideScope):
        service.record_inspection(conn, SC_QC, replace(record, id="I-3"))


# --- posts --------------------------------------------------------------------------------------


def test_post_gives_place_roles_and_permissions(conn: Connection):
    post = service.post_of(conn, "doctor.li")
    assert (post.institution, post.roles) == ("CQ-B", {"physician"})
    assert post.permissions == roles.PERMISSIONS[m.RoleName.PHYSICIAN]
    assert service.post_of(conn, "nobody") == Post()
    service.end_post(conn, IMPORT, "doctor.li", m.RoleName.PHYSICIAN, clock.today())
    assert service.post_of(conn, "doctor.li") == Post()


@pytest.mark.parametrize(
    ("post", "words"),
    [
        (m.PostHeld("doctor.li", m.RoleName.RADIOLOGIST, MAY, None, "CQ-A"), "一个单位"),
        (m.PostHeld("x", m.RoleName.PHYSICIAN, MAY, None, "CQ-A", "CQ-WJW"), "二者择一"),
        (m.PostHeld("x", m.RoleName.PHYSICIAN, MAY), "二者择一"),
        (m.PostHeld("x", m.RoleName.PHYSICIAN, MAY, None, None, "CQ-WJW"), "不能设在"),
        (m.PostHeld("x", m.RoleName.QC_CENTRE, MAY, None, "CQ-A"), "不能设在"),
        (m.PostHeld("x", m.RoleName.QC_CENTRE, MAY, None, None, "NONE"), "未登记"),
        (m.PostHeld("x", m.RoleName.PHYSICIAN, MAY, None, "NONE"), "未登记"),
    ],
)
def test_impossible_post_is_refused(conn: Connection, post: m.PostHeld, words: str):
    with pytest.raises(BadEntry, match=words):
        service.assign_post(conn, IMPORT, post)


def test_second_role_at_the_same_place_adds_up(conn: Connection):
    service.assign_post(
        conn, IMPORT, m.PostHeld("doctor.li", m.RoleName.DEPARTMENT, MARCH, None, "CQ-B")
    )
    assert service.post_of(conn, "doctor.li").roles == {"physician", "department"}


# --- memory -------------------------------------------------------------------------------------


def test_what_is_recalled_is_never_older_than_the_last_commit(database: Database):
    with database.begin() as conn:
        service.import_region(conn, IMPORT, make_region())
    with database.begin() as conn:
        assert level_on(conn, "CQ-B", MAY) is m.Level.SECOND
    with database.begin() as conn, database.begin() as other:
        assert level_on(conn, "CQ-B", MAY) is m.Level.SECOND
        service.change_institution(other, CQ, "CQ-B", MAY, {"level": m.Level.THIRD})
        assert level_on(other, "CQ-B", MAY) is m.Level.THIRD
        assert level_on(conn, "CQ-B", MAY) is m.Level.SECOND
    with database.begin() as conn:
        assert level_on(conn, "CQ-B", MAY) is m.Level.THIRD


def test_second_read_asks_the_database_nothing(database: Database, monkeypatch):
    with database.begin() as conn:
        service.import_region(conn, IMPORT, make_region())
    with database.begin() as conn:
        service.qualifications_of(conn, "CQ-A", MARCH)
    asked: list[str] = []
    version = store.version
    monkeypatch.setattr(store, "version", lambda conn: asked.append("version") or version(conn))
    with database.begin() as conn:
        conn.execute = lambda statement, *_: asked.append(str(statement))
        service.qualifications_of(conn, "CQ-A", MARCH)
        service.qualifications_of(conn, "CQ-A", MARCH)
    assert asked == ["version"]


def test_a_state_that_was_asked_for_beside_other_things_is_not_asked_for_again(
    database: Database, monkeypatch
):
    with database.begin() as conn:
        service.import_region(conn, IMPORT, make_region())
    monkeypatch.setattr(store, "version", lambda _: pytest.fail("asked again"))
    with database.begin() as conn:
        service.recall_as_of(conn, db.ask(conn, service.state()))
        assert level_on(conn, "CQ-B", MAY) is m.Level.SECOND


def test_a_transaction_that_has_written_recalls_nothing_whatever_it_is_told(database: Database):
    with database.begin() as conn:
        service.import_region(conn, IMPORT, make_region())
    with database.begin() as conn:
        state = db.ask(conn, service.state())
        assert level_on(conn, "CQ-B", MAY) is m.Level.SECOND
        service.change_institution(conn, CQ, "CQ-B", MAY, {"level": m.Level.THIRD})
        service.recall_as_of(conn, state)
        assert level_on(conn, "CQ-B", MAY) is m.Level.THIRD


def test_rolled_back_change_leaves_no_memory(database: Database):
    with database.begin() as conn:
        service.import_region(conn, IMPORT, make_region())
    with database.engine.connect() as conn:
        transaction = conn.begin()
        service.change_institution(conn, CQ, "CQ-B", MAY, {"level": m.Level.THIRD})
        assert level_on(conn, "CQ-B", MAY) is m.Level.THIRD
        transaction.rollback()
    with database.begin() as conn:
        assert level_on(conn, "CQ-B", MAY) is m.Level.SECOND
