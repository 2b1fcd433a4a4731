"""The outer face: public pages from a signed publication folder, and from nothing else.

It has no database, no patient, no login and no cookie; what it shows it verified first.
"""

from accord.disclosure.outer.pages import create_app

__all__ = ["create_app"]
