"""Clause 3.2: by a qualified device and qualified people.

Technologist and device are the performer's, author and verifier the reporter's (R6.2-7).
"""

from collections.abc import Iterator
from datetime import date

from accord.catalogue import Catalogue
from accord.dataquality.answers import Answer, weightiest
from accord.kit.clock import local_day
from accord.recognition.model import Case, Licence
from accord.standard import rule
from accord.standard.model import Finding, RuleSet

RULE = "R3.2-1"
READINGS = ("RD-3.2-REGISTRY", "RD-3.2-TESTS")


@rule(RULE)
def is_made_by_the_qualified(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass when device test and licences held on their days.

    A miss counts against the source, and shuts the advice where the registry is declared
    complete. What an incomplete registry does not know is no reproach and no limit.
    """
    return weightiest((device_is_tested(case, rule_set), staff_is_licensed(case, rule_set)))


def device_is_tested(case: Case, rule_set: RuleSet) -> Finding:
    """Pass when acceptance and state test of the device speak for the examination day."""
    device, day = case.device, case.prior.exam_day
    because = {
        "registered": device.registered,
        "acceptance passed": device.acceptance_passed,
        "test passed": device.test_passed,
        "test from": device.test_from,
        "test to": device.test_to,
        "examined": day,
        "registry complete": device.registry_complete,
    }
    answer = Answer(RULE, rule_set, because, ("3.2/state_test_interval",), READINGS)
    if day is None:
        return answer.unknown("exam_end", effect=None)
    tested = _is_tested(case, day)
    if tested:
        return answer.passes()
    if device.registry_complete:
        return answer.gates("DEVICE_NOT_QUALIFIED")
    if tested is None:
        return answer.unknown("device or its tests", effect=None, code="DEVICE_UNKNOWN")
    return answer.tells_source("DEVICE_NOT_QUALIFIED")


def _is_tested(case: Case, day: date) -> bool | None:
    device = case.device
    if not device.registered:
        return None
    if device.acceptance_passed is False or device.test_passed is False:
        return False
    if device.test_from is None or device.test_to is None:
        return None
    if device.acceptance_passed is None or device.test_passed is None:
        return None
    return device.test_from <= day < device.test_to


def staff_is_licensed(case: Case, rule_set: RuleSet) -> Finding:
    """Pass when technologist, author and verifier were licensed on their day."""
    held = dict(_licences(case))
    because = {who: held[who] for who in held}
    answer = Answer(RULE, rule_set, because, readings=READINGS)
    if False in held.values():
        staff = case.staff
        complete = {
            "technologist": staff.performer_complete,
            "author": staff.reporter_complete,
            "verifier": staff.reporter_complete,
        }
        missed = [who for who, is_held in held.items() if is_held is False]
        if any(complete[who] for who in missed):
            return answer.gates("STAFF_NOT_QUALIFIED")
        return answer.tells_source("STAFF_NOT_QUALIFIED")
    if None in held.values():
        missing = (who for who, is_held in held.items() if is_held is None)
        return answer.unknown(*missing, effect=None, code="STAFF_UNKNOWN")
    return answer.passes()


def _licences(case: Case) -> Iterator[tuple[str, bool | None]]:
    """Say of each person whether the licence held; the report's people only once it is released."""
    staff, report = case.staff, case.prior.report
    exam_day = case.prior.exam_day
    yield "technologist", _holds(staff.technologist, exam_day, complete=staff.performer_complete)
    if report.state is not None and report.state.is_released:
        day = exam_day if report.released_at is None else local_day(report.released_at)
        yield "author", _holds(staff.author, day, complete=staff.reporter_complete)
        yield "verifier", _holds(staff.verifier, day, complete=staff.reporter_complete)


def _holds(licence: Licence | None, day: date | None, *, complete: bool | None) -> bool | None:
    if licence is None or licence.registered is None or day is None:
        return None
    if not licence.registered:
        return False if complete else None
    if licence.scope_fits is False:
        return False
    if licence.valid_from is None:
        return None
    return licence.valid_from <= day and (licence.valid_to is None or day < licence.valid_to)
