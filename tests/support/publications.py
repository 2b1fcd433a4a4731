"""Publications made without a registry, for the outer face."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from accord import catalogue
from accord.disclosure import folder
from accord.disclosure.model import (
    Listing,
    Publication,
    PublishedAuthority,
    PublishedInstitution,
    PublishedItem,
    PublishedList,
    Right,
)
from accord.disclosure.signing import PUBLIC_NAME, SigningKey, open_signing_key

DAY = date(2026, 10, 20)
AUTHORITIES = (
    PublishedAuthority("CQ-HC", "重庆市卫生健康委员会", "重庆", "重庆"),
    PublishedAuthority("SC-HC", "四川省卫生健康委员会", "四川", "四川"),
)
LISTED = Listing(date(2026, 1, 1), date(2027, 7, 1), "L1")
CT = Right(
    date(2026, 1, 1),
    date(2027, 1, 1),
    (92, 94),
    "川渝 HR",
    "passed",
    "inspection",
    "重庆质控中心",
)


def make_institution(code: str = "CQ001", **changes: object) -> PublishedInstitution:
    """Return a listed institution that is qualified for two CT items."""
    plain = PublishedInstitution(
        code=code,
        name=f"示范医院{code}",
        campus="",
        province="重庆",
        area="渝中区",
        level="三级",
        grade="甲等",
        ownership="公立",
        authority="CQ-HC",
        listings=(LISTED,),
        rights=(CT,),
    )
    return replace(plain, **changes)


def make_publication(
    number: int = 1,
    institutions: tuple[PublishedInstitution, ...] | None = None,
    **changes: object,
) -> Publication:
    """Return a publication of the real catalogue."""
    items = catalogue.load().items
    plain = Publication(
        number=number,
        day=DAY,
        published_at=datetime(2026, 10, 20, 2, 0, tzinfo=UTC),
        title="数字医学影像结果互认质控管理规范（征求意见稿）",
        rule_set="2025-draft",
        status="draft",
        catalogue="2025-draft",
        authorities=AUTHORITIES,
        lists=(
            PublishedList(
                "L1", "川渝互认机构名单", "CQ-HC", "川渝", datetime(2026, 1, 1, tzinfo=UTC)
            ),
        ),
        items=tuple(
            PublishedItem(
                each.no, each.code, each.name, each.modality.value, each.anatomy, each.family
            )
            for each in items
        ),
        institutions=institutions or (make_institution(),),
        next_due=date(2027, 10, 20),
        jurisdictions=("重庆", "四川", "川渝"),
    )
    return replace(plain, **changes)


def publish(root: Path, *publications: Publication, key: SigningKey | None = None) -> Path:
    """Write publications as a signed history and return the folder."""
    signing = key or open_signing_key(root.parent / "keys")
    with folder.writing(root):
        before = None
        for publication in publications:
            place = folder.write(root, publication, signing, before)
            before = folder.verify(place, signing.public).hash
    (root / PUBLIC_NAME).write_bytes(signing.public.pem)
    return root
