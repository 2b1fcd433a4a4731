"""Permissions of the reminder."""

from typing import Final

from accord.kit.access import declare

ASK: Final = declare("reminder.ask", "签署检查申请前查询可互认的既往检查")
READ: Final = declare("reminder.read", "查阅本机构的提醒、决定与引用记录")
DECIDE: Final = declare("reminder.decide", "对提醒作出采用或不采用的决定（仅限接诊医师）")
