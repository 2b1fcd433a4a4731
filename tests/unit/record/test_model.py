"""States of a report, and moments without a time zone."""

from datetime import UTC, datetime

import pytest

from accord.record.model import NEXT_REPORT_STATUS, ReportStatus, Visit, VisitKind


@pytest.mark.parametrize(
    ("present", "following", "legal"),
    [
        ("PRELIMINARY", "EMERGENCY", True),
        ("EMERGENCY", "FINAL", True),
        ("FINAL", "AMENDED", True),
        ("AMENDED", "WITHDRAWN", True),
        ("FINAL", "PRELIMINARY", False),
        ("AMENDED", "FINAL", False),
        ("WITHDRAWN", "FINAL", False),
    ],
)
def test_a_report_goes_forward_only(present, following, legal):
    assert (ReportStatus(following) in NEXT_REPORT_STATUS[ReportStatus(present)]) is legal


def test_every_report_can_be_withdrawn_until_it_is():
    followed = {present for present, following in NEXT_REPORT_STATUS.items() if following}
    assert followed == set(ReportStatus) - {ReportStatus.WITHDRAWN}
    assert all(ReportStatus.WITHDRAWN in NEXT_REPORT_STATUS[present] for present in followed)


def test_a_moment_without_time_zone_is_refused():
    with pytest.raises(ValueError, match="opened_at"):
        Visit(
            number="1",
            patient_id="1",
            kind=VisitKind.OUTPATIENT,
            opened_at=datetime(2026, 3, 1),  # noqa: DTZ001
        )
    aware = Visit(
        number="1",
        patient_id="1",
        kind=VisitKind.OUTPATIENT,
        opened_at=datetime(2026, 3, 1, tzinfo=UTC),
    )
    assert aware.closed_at is None
