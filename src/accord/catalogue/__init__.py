"""The 141 items of 附录A: names in, items out (clause 6.3, 附录A).

The list is 资料性 by its title and binding by clause 6.3; here it is binding data of its version
(RD-A-BINDING). Everything is pure but the reading of the package files.
"""

from collections.abc import Mapping

from accord.catalogue.files import load
from accord.catalogue.model import Catalogue, Item, Match, fold

__all__ = ["Catalogue", "Item", "Match", "fold", "load", "match"]


def match(
    name: str | None,
    *,
    institution: str,
    aliases: Mapping[tuple[str, str], int],
    code: str | None = None,
    version: str = "2025-draft",
) -> Match:
    """Find the item that an institution means by a name or a code, in one catalogue version."""
    return load(version).match(name, institution=institution, aliases=aliases, code=code)
