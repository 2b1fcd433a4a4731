"""A small region for tests: two provinces, hospitals of every level, a county consortium."""

from typing import Any

SIGNED = ["周建国", "吴秀英"]


def make_region(**changes: Any) -> dict[str, Any]:
    """Return the mapping that `import_region` takes; `changes` replace whole kinds of rows."""
    region: dict[str, Any] = {
        "valid_from": "2024-01-01",
        "authorities": [
            {
                "code": "CQ-WJW",
                "name": "重庆市卫生健康委员会",
                "province": "重庆",
                "jurisdiction": "重庆",
            },
            {
                "code": "SC-WJW",
                "name": "四川省卫生健康委员会",
                "province": "四川",
                "jurisdiction": "四川",
            },
        ],
        "centres": [
            {
                "code": "CQ-QC",
                "name": "重庆市放射质控中心",
                "rank": "省级",
                "province": "重庆",
                "authority": "CQ-WJW",
            },
            {
                "code": "CQ-WZ-QC",
                "name": "万州区放射质控中心",
                "rank": "地市级",
                "province": "重庆",
                "authority": "CQ-WJW",
            },
            {
                "code": "CQ-YY-QC",
                "name": "云阳县放射质控中心",
                "rank": "县级",
                "province": "重庆",
                "authority": "CQ-WJW",
            },
            {
                "code": "SC-QC",
                "name": "四川省放射质控中心",
                "rank": "省级",
                "province": "四川",
                "authority": "SC-WJW",
            },
        ],
        "institutions": [
            _institution("CQ-A", "重庆第一医院", "三级甲等", "public", "重庆", "CQ-WJW"),
            _institution(
                "CQ-B", "云阳县医院", "二级甲等", "public", "重庆", "CQ-WJW", registry_complete=True
            ),
            _institution("CQ-C", "云阳凤鸣镇卫生院", "一级", "public", "重庆", "CQ-WJW"),
            _institution("CQ-P", "重庆民营医院", "二级", "社会办医", "重庆", "CQ-WJW"),
            _institution("SC-A", "四川第一医院", "三级甲等", "public", "四川", "SC-WJW"),
            {
                **_institution("CQ-A2", "重庆第一医院", None, "public", "重庆", "CQ-WJW"),
                "campus": "江南院区",
                "licence_holder": "CQ-A",
            },
        ],
        "consortia": [
            {
                "code": "CQ-YY-YGT",
                "name": "云阳县医共体",
                "kind": "县域医共体",
                "authority": "CQ-WJW",
                "members": ["CQ-B", "CQ-C"],
            },
        ],
        "devices": [
            {
                "institution": "CQ-A",
                "serial": "CT-001",
                "kind": "CT",
                "manufacturer": "UIH",
                "model": "uCT 760",
                "tests": [
                    {
                        "kind": "acceptance",
                        "passed": True,
                        "tested_on": "2024-02-01",
                        "valid_from": "2024-02-01",
                        "valid_to": "2025-02-01",
                    },
                    {
                        "kind": "state",
                        "passed": True,
                        "tested_on": "2026-02-01",
                        "valid_from": "2026-02-01",
                        "valid_to": "2027-02-01",
                        "standard": "WS 519—2019",
                    },
                ],
            },
            {
                "institution": "CQ-C",
                "serial": "DR-9",
                "kind": "DR_PANEL",
                "cannot_send": ["C5.10"],
                "review_on": "2026-12-01",
            },
        ],
        "staff": [
            {
                "institution": "CQ-A",
                "code": "R01",
                "name": "李明",
                "profession": "physician",
                "licence": "110500000000001",
                "scope": "医学影像和放射治疗专业",
            },
            {
                "institution": "CQ-A",
                "code": "T01",
                "name": "王强",
                "profession": "technologist",
                "valid_to": "2026-06-01",
            },
        ],
        "lists": [
            {
                "id": "CQ-2024-1",
                "title": "重庆市互认机构名单",
                "authority": "CQ-WJW",
                "published_at": "2024-03-01T09:00:00+08:00",
                "entries": ["CQ-A", "CQ-B", "CQ-C"],
            },
            {
                "id": "SC-2024-1",
                "title": "四川省互认机构名单",
                "authority": "SC-WJW",
                "published_at": "2024-03-15T09:00:00+08:00",
                "entries": ["SC-A"],
            },
        ],
        "inspections": [
            _inspection("I-CQ-A", "CQ-A", "modality", "CT", "CQ-QC"),
            _inspection("I-CQ-C", "CQ-C", "family", "DR 胸", "CQ-WZ-QC"),
        ],
        "qualifications": [
            {
                "id": "Q-CQ-A-CT",
                "institution": "CQ-A",
                "scope_kind": "family",
                "scope_value": "CT-胸",
                "mark_scope": "川渝",
                "basis": "inspection",
                "centre": "CQ-QC",
                "inspection": "I-CQ-A",
                "valid_from": "2026-01-10",
                "valid_to": "2028-01-10",
            },
            {
                "id": "Q-CQ-C-DR",
                "institution": "CQ-C",
                "scope_kind": "family",
                "scope_value": "dr_chest",
                "mark_scope": "川渝",
                "basis": "inspection",
                "centre": "CQ-WZ-QC",
                "inspection": "I-CQ-C",
                "valid_from": "2026-01-10",
            },
            {
                "id": "Q-SC-A-CT",
                "institution": "SC-A",
                "scope_kind": "modality",
                "scope_value": "CT",
                "mark_scope": "川渝",
                "basis": "transitional",
                "notice": "川卫办发〔2026〕1号",
                "list_hash": "a" * 64,
                "valid_from": "2026-02-01",
                "valid_to": "2027-02-01",
            },
        ],
        "posts": [
            {"login": "doctor.li", "role": "physician", "institution": "CQ-B"},
            {"login": "wjw.cq", "role": "health_authority", "authority": "CQ-WJW"},
            {"login": "qc.cq", "role": "qc_centre", "authority": "CQ-QC"},
        ],
        "ae_titles": [{"title": "CQA_PACS", "institution": "CQ-A"}],
    }
    return region | changes


def _institution(
    code: str,
    name: str,
    level: str | None,
    ownership: str,
    province: str,
    authority: str,
    **more: Any,
) -> dict[str, Any]:
    row = {
        "code": code,
        "name": name,
        "ownership": ownership,
        "province": province,
        "authority": authority,
    }
    return row | ({"level": level} if level else {}) | more


def _inspection(
    number: str, institution: str, kind: str, value: str, centre: str
) -> dict[str, Any]:
    return {
        "id": number,
        "institution": institution,
        "scope_kind": kind,
        "scope_value": value,
        "centre": centre,
        "concluded_on": "2026-01-05",
        "passed": True,
        "signatures": SIGNED,
    }
