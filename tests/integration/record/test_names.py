"""An institution's dictionary: taken in, proposed, approved, confirmed, in use; and over HTTP."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from accord import catalogue
from accord.app.web import create_app
from accord.catalogue.names import matcher
from accord.catalogue.names.errors import BrokenTable
from accord.catalogue.names.lexicon import Term, assemble
from accord.catalogue.names.model import Kind
from accord.kit import access, clock
from accord.kit import store as kit_store
from accord.kit.access import Actor, ActorKind, new_token
from accord.kit.db import Database
from accord.kit.errors import Forbidden
from accord.kit.settings import Settings
from accord.record import service as record
from accord.record.names import service
from accord.record.names.errors import BadCode, CrossesMeaning, UnknownName, WrongStep
from accord.record.names.model import State
from accord.registry import service as registry
from support.asgi import Asker
from support.region import make_region

DEPARTMENT = Actor(ActorKind.PERSON, "fang", "放射科", institution="CQ-A")
CENTRE = Actor(ActorKind.PERSON, "qc", "质控中心", authority="CQ-QC")
OTHER_CENTRE = Actor(ActorKind.PERSON, "qc2", "四川质控中心", authority="SC-QC")
LOADER = Actor.process("test")
DICTIONARY = (
    "项目名称,检查类型,项目编码,数量,检查技术编码\n"
    "胸部CT平扫,CT,A1,1200,\n"
    "肺部CT平扫,CT,A2,300,\n"
    "左膝关节正侧位,DX,A3,500,123456789\n"
    "膝关节套餐,DX,A4,80,\n"
    "头颅CT平扫,CT,A1,10,\n"
    "头颅CT增强,CT,A6,60,短\n"
    ",,,,\n"
    "胸部CT平扫,CT,A8,1,\n"
    "胶片费,CT,A9,9000,\n"
)


@pytest.fixture
def region(conn: Connection) -> Connection:
    registry.import_region(conn, LOADER, make_region())
    return conn


@pytest.fixture
def taken(region: Connection) -> Connection:
    service.take_in(region, DEPARTMENT, DICTIONARY.encode())
    return region


def test_a_dictionary_comes_in_with_every_fault_named(region: Connection):
    found = service.take_in(region, DEPARTMENT, DICTIONARY.encode("gbk"))
    assert (found.rows, found.kept, found.encoding) == (9, 5, "gb18030")
    assert {fault.line: fault.sentence for fault in found.faults} == {
        6: "编码A1与第2行重复，名称不同",
        7: "检查技术编码短不是9位数字或大写字母",
        8: "空行",
        9: "名称与第2行重复",
    }


def test_a_name_of_two_modalities_is_a_fault(region: Connection):
    text = "项目名称,检查类型\n膝关节,CT\n膝关节,MR\n"
    (fault,) = service.take_in(region, DEPARTMENT, text.encode()).faults
    assert "类别不同" in fault.sentence


def test_what_is_no_table_keeps_nothing(region: Connection):
    with pytest.raises(BrokenTable):
        service.take_in(region, DEPARTMENT, b"\0\0\0")
    assert service.proposals(region, "CQ-A") == []


def test_only_an_institution_has_a_dictionary(region: Connection):
    with pytest.raises(Forbidden):
        service.take_in(region, CENTRE, DICTIONARY.encode())


def test_proposals_are_grouped_by_answer_with_the_safest_first(taken: Connection):
    groups = service.proposals(taken, "CQ-A")
    assert [(group.kind, group.items) for group in groups] == [
        (Kind.ITEM, (94,)),
        (Kind.ITEM, (13,)),
        (Kind.NOT_AN_EXAM, ()),
        (Kind.AMBIGUOUS, (13, 14)),
    ]
    assert [name.written for name in groups[0].names] == ["胸部CT平扫", "肺部CT平扫"]
    assert groups[0].count == 1500


def test_an_alias_counts_only_after_department_and_centre(taken: Connection):
    folded = catalogue.fold("肺部CT平扫")
    service.approve(taken, DEPARTMENT, "肺部CT平扫", item=94)
    assert record.find_aliases(taken, "CQ-A", [folded]) == {}
    confirmed = service.confirm(taken, CENTRE, "CQ-A", "肺部CT平扫")
    assert (confirmed.state, confirmed.confirmed_by) == (State.CONFIRMED, "qc")
    assert record.find_aliases(taken, "CQ-A", [folded, "a2"]) == {
        ("CQ-A", folded): 94,
        ("CQ-A", "a2"): 94,
    }
    entries = kit_store.read_audit(taken, subject="names:CQ-A")
    assert [entry["action"] for entry in reversed(entries)] == [
        "record.names.taken_in",
        "record.names.approved",
        "record.names.confirmed",
    ]


def test_an_alias_may_not_cross_side_contrast_or_modality(taken: Connection):
    for name, item in (("左膝关节正侧位", 14), ("胸部CT平扫", 107), ("胸部CT平扫", 1)):
        with pytest.raises(CrossesMeaning):
            service.approve(taken, DEPARTMENT, name, item=item)
    assert len(service.names_in(taken, "CQ-A", State.APPROVED)) == 0


def test_a_name_that_the_parser_cannot_place_is_placed_by_people(taken: Connection):
    approved = service.approve(taken, DEPARTMENT, "膝关节套餐", item=13, technique_code="ABC123456")
    assert (approved.item, approved.technique_code) == (13, "ABC123456")


def test_an_unknown_name_or_item_or_code_is_refused(taken: Connection):
    with pytest.raises(UnknownName):
        service.approve(taken, DEPARTMENT, "不在字典里", item=13)
    with pytest.raises(UnknownName):
        service.approve(taken, DEPARTMENT, "膝关节套餐", item=999)
    with pytest.raises(BadCode):
        service.approve(taken, DEPARTMENT, "膝关节套餐", item=13, technique_code="短")


def test_steps_come_in_their_order_and_from_two_people(taken: Connection):
    with pytest.raises(WrongStep):
        service.confirm(taken, CENTRE, "CQ-A", "胸部CT平扫")
    with pytest.raises(WrongStep):
        service.reject(taken, CENTRE, "CQ-A", "胸部CT平扫", "未审批")
    service.approve(taken, DEPARTMENT, "胸部CT平扫", item=94)
    with pytest.raises(WrongStep):
        service.confirm(taken, replace(CENTRE, id="fang"), "CQ-A", "胸部CT平扫")
    service.confirm(taken, CENTRE, "CQ-A", "胸部CT平扫")
    with pytest.raises(WrongStep):
        service.approve(taken, DEPARTMENT, "胸部CT平扫", item=None)


def test_a_centre_of_another_province_confirms_nothing(taken: Connection):
    service.approve(taken, DEPARTMENT, "胸部CT平扫", item=94)
    for actor in (OTHER_CENTRE, DEPARTMENT):
        with pytest.raises(Forbidden):
            service.confirm(taken, actor, "CQ-A", "胸部CT平扫")


def test_a_rejected_alias_stops_counting(taken: Connection):
    service.approve(taken, DEPARTMENT, "胸部CT平扫", item=94)
    service.confirm(taken, CENTRE, "CQ-A", "胸部CT平扫")
    rejected = service.reject(taken, CENTRE, "CQ-A", "胸部CT平扫", "请核对")
    assert (rejected.state, rejected.reason) == (State.REJECTED, "请核对")
    assert record.find_aliases(taken, "CQ-A", [catalogue.fold("胸部CT平扫"), "a1"]) == {}


def test_a_name_approved_as_outside_the_list_leaves_the_work_list(taken: Connection):
    assert "膝关节套餐" in [one.name for one in service.work_list(taken, "CQ-A")]
    service.approve(taken, DEPARTMENT, "膝关节套餐", item=None)
    service.confirm(taken, CENTRE, "CQ-A", "膝关节套餐")
    assert "膝关节套餐" not in [one.name for one in service.work_list(taken, "CQ-A")]


def test_the_work_list_goes_by_frequency_and_leaves_charges_out(taken: Connection):
    assert [one.name for one in service.work_list(taken, "CQ-A")] == [
        "胸部CT平扫",
        "左膝关节正侧位",
        "肺部CT平扫",
        "膝关节套餐",
    ]


def test_taking_in_again_keeps_what_was_decided(taken: Connection):
    service.approve(taken, DEPARTMENT, "胸部CT平扫", item=94)
    service.take_in(taken, DEPARTMENT, "项目名称,数量\n胸部CT平扫,7\n".encode())
    (kept,) = service.names_in(taken, "CQ-A", State.APPROVED)
    assert (kept.item, kept.count) == (94, 7)


def test_the_same_lexicon_matches_nothing_again(taken: Connection):
    again = service.rematch(taken, DEPARTMENT, "CQ-A")
    assert (again.names, again.matched_again, again.moved) == (0, 0, ())


def test_a_changed_lexicon_matches_only_what_it_can_change_and_tells_what_moved(
    taken: Connection, monkeypatch: pytest.MonkeyPatch
):
    known = matcher.load()
    part = known.lexicon.entries["膝关节"]
    views = known.lexicon.entries["正侧位"]
    entries = dict(known.lexicon.entries)
    entries["正侧位"] = replace(views, terms=(*views.terms, Term("套餐", "正侧位")))
    noise = known.lexicon.entries["动作"]
    entries["动作"] = replace(
        noise, terms=tuple(term for term in noise.terms if term.text != "套餐")
    )
    changed = replace(known, lexicon=assemble(entries, known.lexicon.grammar))
    assert part.id in entries
    monkeypatch.setattr(matcher, "load", lambda: changed)
    found = service.rematch(taken, DEPARTMENT, "CQ-A")
    assert found.names == 5
    assert found.matched_again == 1
    assert service.rematch(taken, DEPARTMENT, "CQ-A").names == 0


def test_a_changed_word_that_changes_an_answer_is_reported(
    taken: Connection, monkeypatch: pytest.MonkeyPatch
):
    known = matcher.load()
    changed = replace(known, lexicon=known.lexicon.without({"肺 部"}))
    monkeypatch.setattr(matcher, "load", lambda: changed)
    entries = dict(changed.lexicon.entries)
    outside = entries["纵隔"]
    entries["纵隔"] = replace(outside, terms=(*outside.terms, Term("肺部", "纵隔")))
    changed = replace(changed, lexicon=assemble(entries, known.lexicon.grammar))
    found = service.rematch(taken, DEPARTMENT, "CQ-A")
    assert found.matched_again == 1
    (moved,) = found.moved
    assert (moved.name, moved.before, moved.before_items) == ("肺部CT平扫", Kind.ITEM, (94,))
    assert moved.after is Kind.OUT_OF_CATALOGUE


# --- HTTP ---------------------------------------------------------------------------------------


@pytest.fixture
def asker(database: Database) -> Asker:
    with database.begin() as conn:
        registry.import_region(conn, LOADER, make_region())
    return Asker(create_app(Settings(), database))


def key_of(database: Database, institution: str | None, *permissions: str) -> dict[str, str]:
    token = new_token()
    with database.begin() as conn:
        kit_store.put_system(
            conn,
            f"sys-{token[:8]}",
            "测试",
            token,
            institution=institution,
            permissions=frozenset(permissions),
        )
    return {"Authorization": f"Bearer {token}"}


def test_the_interface_takes_in_proposes_and_approves(asker: Asker, database: Database):
    own = key_of(database, "CQ-A", "names.propose", "names.approve")
    taken = asker.post("/api/v1/names/dictionary", content=DICTIONARY.encode(), headers=own)
    assert taken.status_code == 200
    assert (taken.json()["kept"], len(taken.json()["faults"])) == (5, 4)
    groups = asker.get("/api/v1/names/proposals", headers=own).json()
    assert groups[0]["items"] == [94]
    assert groups[0]["names"][0]["conforms"] is True
    assert groups[1]["names"][0]["missing"] == ["检查类别", "检查方案"]
    four_parts, code = groups[1]["names"][0]["findings"]
    assert (four_parts["rule"], four_parts["outcome"]) == ("R7.2-1", "fail")
    assert (code["rule"], code["outcome"]) == ("R7.2-2", "pass")
    assert groups[1]["names"][0]["conforming_names"] == ["DR 左侧膝关节 摄影 正侧位"]
    approvals = [{"name": "胸部CT平扫", "item": 94}, {"name": "左膝关节正侧位", "item": 14}]
    refused = asker.post("/api/v1/names/approvals", json=approvals, headers=own)
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "crosses_meaning"
    approvals[1]["item"] = 13
    approved = asker.post("/api/v1/names/approvals", json=approvals, headers=own)
    assert [one["state"] for one in approved.json()] == ["approved", "approved"]
    work = asker.get("/api/v1/names/worklist", headers=own).json()
    assert [one["name"] for one in work] == ["肺部CT平扫", "膝关节套餐"]


def test_the_interface_matches_names_without_keeping_them(asker: Asker, database: Database):
    own = key_of(database, "CQ-A", "names.propose")
    asked = {"names": [{"name": "左膝CT", "modality": "CT", "laterality": "R"}, {"name": "胸片"}]}
    first, second = asker.post("/api/v1/names/match", json=asked, headers=own).json()
    assert (first["kind"], first["contradictions"]) == ("ambiguous", ["side"])
    assert (second["kind"], second["items"]) == ("item", [1])
    assert asker.get("/api/v1/names/proposals", headers=own).json() == []


def test_a_caller_without_permission_gets_nothing(asker: Asker, database: Database):
    other = key_of(database, "CQ-A", "record.read")
    for method, path in (
        ("GET", "/api/v1/names/proposals"),
        ("GET", "/api/v1/names/worklist"),
        ("POST", "/api/v1/names/dictionary"),
        ("POST", "/api/v1/names/rematch"),
    ):
        assert asker.request(method, path, headers=other).status_code == 403


def test_a_dictionary_that_is_no_table_is_an_error_in_chinese(asker: Asker, database: Database):
    own = key_of(database, "CQ-A", "names.propose")
    answer = asker.post("/api/v1/names/dictionary", content=b"", headers=own)
    assert answer.status_code == 400
    assert "空" in answer.json()["error"]["message"]


def test_names_of_permissions_are_declared():
    assert {"names.propose", "names.approve", "names.confirm"} <= set(access.PERMISSIONS)


def test_a_moment_is_kept_with_each_step(taken: Connection):
    at = datetime(2026, 3, 2, tzinfo=UTC)
    with clock.freeze(at):
        approved = service.approve(taken, DEPARTMENT, "胸部CT平扫", item=94)
    assert approved.approved_at == at
