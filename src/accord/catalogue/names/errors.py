"""What can be wrong with a lexicon or a table of names."""

from accord.kit.errors import Invalid


class BrokenLexicon(Invalid):
    """A file of the lexicon cannot be used."""


class BrokenTable(Invalid):
    """A table of names cannot be read at all."""
