"""Permissions of patients' identity."""

from typing import Final

from accord.kit.access import declare

REGISTER: Final = declare(
    "identity.register", "register and correct patients of the own institution"
)
TASKS: Final = declare("identity.task.work", "work on tasks of patient identity (患者身份核对)")
