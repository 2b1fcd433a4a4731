"""Expected errors of the archive."""

from accord.kit.errors import Invalid, NotFound, TooLarge, Unsupported


class NoSuchImages(NotFound):
    """No study, series, instance or frame of that id that the caller may see."""


class CannotShow(Unsupported):
    """The pixels cannot be given in the form that was asked for."""

    status = 406
    code = "not_acceptable"


class PixelsTooLarge(TooLarge):
    """The declared picture is larger than this site decodes."""


class PixelsBroken(Invalid):
    """The pixel data does not fit what its header declares."""

    status = 422
    code = "pixels_broken"


class QueryInvalid(Invalid):
    """A DICOMweb query that is not understood or asks for too much."""
