"""What a caller of WADO-RS accepts: media types with transfer syntaxes, best first."""

import re
from dataclasses import dataclass
from typing import Final

from accord.archive.multipart import media_type

ANYTHING: Final = "*/*"
ANY_SYNTAX: Final = "*"
MULTIPART: Final = "multipart/related"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
# Commas inside of quotes do not end a choice.
CHOICE: Final = re.compile(r'(?:[^,"]|"[^"]*")+')
MOST_CHOICES: Final = 50


@dataclass(frozen=True)
class Accepted:
    """One choice of a caller.

    Attributes:
        media_type: What a part, or the whole answer, may be; may end in `*`.
        syntax: Transfer syntax it must be in; `*` for any; None when not stated.
        is_single: The answer is the thing itself, not a multipart message.
    """

    media_type: str
    syntax: str | None = None
    is_single: bool = False

    def takes(self, offered: str, syntax: str, *, unstated: str = ANY_SYNTAX) -> bool:
        """Say whether the choice covers a media type in a transfer syntax.

        Args:
            offered: The media type.
            syntax: The transfer syntax.
            unstated: What a choice without a transfer syntax means.
        """
        wanted = self.syntax or unstated
        return self.covers(offered) and wanted in (ANY_SYNTAX, syntax)

    def covers(self, offered: str) -> bool:
        """Say whether the choice covers a media type."""
        if self.media_type == ANYTHING:
            return True
        if self.media_type.endswith("/*"):
            return offered.startswith(self.media_type[:-1])
        return offered == self.media_type


def parse_accept(header: str) -> list[Accepted]:
    """Return the choices of an Accept header, best first; anything when there is none."""
    weighed: list[tuple[float, Accepted]] = []
    for text in CHOICE.findall(header)[:MOST_CHOICES]:
        name, parameters = media_type(text.strip())
        syntax = parameters.get("transfer-syntax")
        if name == MULTIPART:
            choice = Accepted(parameters.get("type", ANYTHING).lower(), syntax)
        else:
            choice = Accepted(name, syntax, is_single=name != ANYTHING)
        if name:
            weighed.append((_quality(parameters.get("q", "")), choice))
    best = sorted(weighed, key=lambda pair: -pair[0])
    return [choice for quality, choice in best if quality > 0] or [Accepted(ANYTHING)]


def rendered_type(header: str) -> str | None:
    """Return the picture format for an Accept header: JPEG unless PNG is preferred, or None."""
    for choice in parse_accept(header):
        if choice.media_type == PNG:
            return PNG
        if choice.covers(JPEG):
            return JPEG
    return None


def _quality(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 1.0
