"""Permissions of the registry."""

from typing import Final

from accord.kit.access import declare

READ: Final = declare(
    "registry.read", "read institutions, consortia (医联体), lists, qualifications and devices"
)
READ_STAFF: Final = declare("registry.staff.read", "read the registration of staff (执业登记)")
WRITE: Final = declare(
    "registry.write",
    "write institutions, consortia (医联体), devices and staff of the own authority",
)
PUBLISH: Final = declare(
    "registry.list.publish", "keep and publish lists of recognised institutions (互认机构名单)"
)
TRANSITIONAL: Final = declare(
    "registry.qualification.transitional", "load transitional qualifications"
)
GRANT: Final = declare(
    "registry.qualification.grant",
    "record conclusions of inspections (抽查), grant, suspend and revoke qualifications",
)
POSTS: Final = declare("registry.post.write", "give and end posts")
