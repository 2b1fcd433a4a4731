"""Permissions of the registry."""

from typing import Final

from accord.kit.access import declare

READ: Final = declare("registry.read", "查阅机构、医联体、名单、资格、设备")
READ_STAFF: Final = declare("registry.staff.read", "查阅人员执业登记")
WRITE: Final = declare("registry.write", "登记和变更本机关所辖机构、医联体、设备、人员")
PUBLISH: Final = declare("registry.list.publish", "维护并发布互认机构名单")
TRANSITIONAL: Final = declare("registry.qualification.transitional", "载入过渡资格")
GRANT: Final = declare("registry.qualification.grant", "登记抽查结论，授予、暂停、撤销资格")
POSTS: Final = declare("registry.post.write", "任免岗位")
