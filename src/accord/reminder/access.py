"""Permissions of the reminder."""

from typing import Final

from accord.kit.access import declare

ASK: Final = declare(
    "reminder.ask", "ask for recognisable priors (可互认的既往检查) before an order is signed"
)
READ: Final = declare(
    "reminder.read", "read reminders, decisions and citations (引用记录) of the own institution"
)
DECIDE: Final = declare(
    "reminder.decide",
    "accept or refuse the result of a prior: attending physicians (接诊医师) alone",
)
