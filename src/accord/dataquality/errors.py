"""What can go wrong when figures are asked for."""

from accord.kit.errors import NotFound


class UnknownInstitution(NotFound):
    """No institution has this code."""

    code = "unknown_institution"
