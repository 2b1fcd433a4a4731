"""What can be wrong with a publication."""

from accord.kit.errors import CannotRun, Conflict


class Tampered(Conflict):
    """A publication is not what was signed; the sentence names the file and what is wrong."""

    code = "publication_tampered"
    exit_code = 1


class NoPublication(CannotRun):
    """There is nothing published yet."""

    status = 503
    code = "no_publication"


class NoKey(CannotRun):
    """The public key that publications are checked with is missing or unreadable."""

    status = 503
    code = "no_publication_key"
