"""Permissions of patients' identity."""

from typing import Final

from accord.kit.access import declare

REGISTER: Final = declare("identity.register", "登记和修改本机构的患者")
TASKS: Final = declare("identity.task.work", "处理患者身份核对任务")
