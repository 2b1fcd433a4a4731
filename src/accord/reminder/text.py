"""Text that others wrote, made safe for GitHub-flavoured Markdown, and Chinese day words.

Report texts and names reach the workstation inside a card that some clients render with raw HTML
switched on, so nothing of them may act: no link, no image, no HTML, no heading, no table.
"""

import re
import unicodedata
from datetime import datetime
from typing import Final

from accord.kit.clock import LOCAL

PUNCTUATION: Final = re.compile(r"([!\"#$%'()*+,\-./:;=?@\[\\\]^_`{|}~])")
# Renderers link bare addresses after they have taken the backslashes away, so the three signs
# that make an address are written wide.
SCHEME: Final = re.compile(r":(?=//)")
WWW: Final = re.compile(r"(?i)\b(www)\.")
INVISIBLE: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def one_line(text: str) -> str:
    """Return the text without control and direction signs, its white space folded."""
    visible = "".join(
        " " if unicodedata.category(sign) in INVISIBLE or sign.isspace() else sign for sign in text
    )
    return " ".join(visible.split())


def markdown(text: str) -> str:
    """Return third-party text as Markdown that shows it and does nothing else.

    Addresses keep their letters but lose the signs that would make them links: `://`, `www.` and
    `@` are written wide.
    """
    plain = one_line(text)
    plain = SCHEME.sub("：", plain)
    plain = WWW.sub(r"\1．", plain).replace("@", "＠")
    plain = PUNCTUATION.sub(r"\\\1", plain)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(text: str, limit: int) -> str:
    """Return one line of at most `limit` signs, ending in … where something was left out."""
    plain = one_line(text)
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


def moment_words(at: datetime) -> str:
    """Return an aware moment as screens show it: local, to the minute."""
    return at.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")
