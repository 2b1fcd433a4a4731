"""Draw the insides of invented people: what the demo's scanners and panels see.

Pixels only: numbers that behave like tissue under CT (HU), MR (relative signal) and X-rays
(attenuation). The headers are `phantoms`' job. Millimetres throughout, patient axes as in DICOM:
x grows to the left hand, y to the back, z to the head. Everything follows from the seed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from math import ceil, floor

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Point = tuple[float, float, float]
TILE = 768

HU = {
    "air": -1000.0,
    "lung": -860.0,
    "fat": -98.0,
    "soft": 40.0,
    "muscle": 52.0,
    "blood": 42.0,
    "heart": 44.0,
    "liver": 58.0,
    "spleen": 48.0,
    "kidney": 33.0,
    "bile": 10.0,
    "fluid": 8.0,
    "gut": 30.0,
    "trabecular": 210.0,
    "cortex": 780.0,
    "skull": 1050.0,
    "grey": 38.0,
    "white": 27.0,
    "csf": 6.0,
    "lesion": 62.0,
    "nodule": -20.0,
    "portal": 42.0,
    "vein": 42.0,
    "falx": 52.0,
    "eye": 14.0,
}
CONTRAST = {  # what iodine adds, by phase
    "arterial": {
        "blood": 275.0, "heart": 190.0, "kidney": 120.0, "spleen": 70.0, "liver": 10.0,
        "portal": 35.0, "vein": 45.0, "soft": 4.0, "muscle": 4.0,
    },
    "venous": {
        "blood": 112.0, "heart": 100.0, "kidney": 150.0, "spleen": 62.0, "liver": 52.0,
        "portal": 128.0, "vein": 118.0, "soft": 10.0, "muscle": 10.0,
    },
}  # fmt: skip
MR_SIGNAL = {
    "T1": {
        "air": 0.0, "fat": 0.98, "muscle": 0.34, "skull": 0.05, "cortex": 0.06, "marrow": 0.62,
        "grey": 0.46, "white": 0.62, "csf": 0.13, "disc": 0.33, "cord": 0.48, "blood": 0.08,
        "soft": 0.36, "lesion": 0.36,
        "falx": 0.30, "eye": 0.18,
    },
    "T2": {
        "air": 0.0, "fat": 0.62, "muscle": 0.17, "skull": 0.04, "cortex": 0.05, "marrow": 0.40,
        "grey": 0.47, "white": 0.34, "csf": 0.98, "disc": 0.52, "cord": 0.36, "blood": 0.05,
        "soft": 0.30, "lesion": 0.80,
        "falx": 0.22, "eye": 0.9,
    },
    "FLAIR": {
        "air": 0.0, "fat": 0.58, "muscle": 0.20, "skull": 0.04, "cortex": 0.05, "marrow": 0.35,
        "grey": 0.60, "white": 0.47, "csf": 0.06, "disc": 0.3, "cord": 0.4, "blood": 0.05,
        "soft": 0.30, "lesion": 0.95,
        "falx": 0.25, "eye": 0.1,
    },
    "DWI": {
        "air": 0.0, "fat": 0.05, "muscle": 0.07, "skull": 0.02, "cortex": 0.02, "marrow": 0.06,
        "grey": 0.47, "white": 0.42, "csf": 0.06, "disc": 0.1, "cord": 0.3, "blood": 0.03,
        "soft": 0.08, "lesion": 0.95,
        "falx": 0.1, "eye": 0.06,
    },
}  # fmt: skip


def randomness(*seed: object) -> np.random.Generator:
    """Return the generator that belongs to these words, the same on every machine."""
    return np.random.default_rng(list("|".join(map(str, seed)).encode()))


@cache
def noise_tile(low: float, high: float) -> Array:
    """Return a periodic field of band-limited noise, mean 0, deviation 1.

    Reconstructed images carry correlated noise; white noise neither looks nor compresses like it.
    The band is in cycles per pixel.
    """
    rng = randomness("noise", low, high)
    spectrum = np.fft.rfft2(rng.standard_normal((TILE, TILE)))
    radius = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :])
    spectrum *= np.exp(-((radius / high) ** 2)) * (1 - np.exp(-((radius / low) ** 2)))
    tile = np.fft.irfft2(spectrum, s=(TILE, TILE))
    return np.asarray((tile - tile.mean()) / tile.std(), np.float32)


def noise(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Cut a fresh piece of band-limited noise of this shape."""
    tile: Array = noise_tile(0.04, 0.28)
    rows = (np.arange(shape[0]) + int(rng.integers(TILE))) % TILE
    columns = (np.arange(shape[1]) + int(rng.integers(TILE))) % TILE
    if rng.integers(2):
        rows = rows[::-1]
    if rng.integers(2):
        columns = columns[::-1]
    piece: Array = tile[np.ix_(rows, columns)]
    return piece


@dataclass
class Waves:
    """A smooth random field in space, the same value at the same place in every slice."""

    wavelength_mm: float
    rng: np.random.Generator
    terms: int = 5
    directions: Array = field(init=False)
    phases: Array = field(init=False)

    def __post_init__(self) -> None:
        vectors = self.rng.normal(size=(self.terms, 3))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        stretch = self.rng.uniform(0.7, 1.4, (self.terms, 1))
        self.directions = (vectors / lengths * stretch * 2 * np.pi / self.wavelength_mm).astype(
            np.float32
        )
        self.phases = self.rng.uniform(0, 2 * np.pi, self.terms).astype(np.float32)

    def at(self, x: Array, y: Array, z: Array) -> Array:
        """Return the field, about between −1 and 1."""
        total: Array = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), np.float32)
        for (kx, ky, kz), phase in zip(self.directions, self.phases, strict=True):
            total += np.sin(kx * x + ky * y + kz * z + phase)
        return np.asarray(total / np.sqrt(self.terms), np.float32)


@dataclass(frozen=True)
class Plane:
    """One picture's grid of points: rows down, columns to the right."""

    x: Array
    y: Array
    z: Array

    @classmethod
    def axial(cls, z: float, size: int, spacing_mm: float) -> "Plane":
        """Lie across the body at this height, left hand at the right."""
        axis = ((np.arange(size) - (size - 1) / 2) * spacing_mm).astype(np.float32)
        return cls(axis[None, :], axis[:, None], np.full((1, 1), z, np.float32))

    @classmethod
    def sagittal(cls, x: float, size: int, spacing_mm: float) -> "Plane":
        """Cut from front to back at this distance from the middle, head up."""
        axis = ((np.arange(size) - (size - 1) / 2) * spacing_mm).astype(np.float32)
        return cls(np.full((1, 1), x, np.float32), axis[None, :], -axis[:, None])

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = np.broadcast_shapes(self.x.shape, self.y.shape, self.z.shape)
        return rows, columns


def reach(axis: Array, centre: float, radius: float) -> slice:
    """Return the stretch of an evenly spaced axis that lies within `radius` of `centre`."""
    count = axis.size
    if count == 0:
        return slice(0, 0)
    first = float(axis[0, 0])
    if count == 1:
        return slice(0, 1) if abs(first - centre) <= radius else slice(0, 0)
    step = (float(axis[-1, -1]) - first) / (count - 1)
    ends = sorted(((centre - radius - first) / step, (centre + radius - first) / step))
    start, stop = max(0, ceil(ends[0])), min(count, floor(ends[1]) + 1)
    return slice(start, stop) if start < stop else slice(0, 0)


class Canvas:
    """A slice being painted, outside in, each shape over the ones before."""

    def __init__(self, plane: Plane, background: float) -> None:
        """Start with nothing but the background."""
        self.plane = plane
        self.image: Array = np.full(plane.shape, background, np.float32)

    def blob(
        self,
        value: float | Array,
        centre: Point,
        radii: Point,
        *,
        power: float = 2.0,
        turn_deg: float = 0.0,
        soft_mm: float = 1.2,
    ) -> None:
        """Paint a (super)ellipsoid with a soft edge.

        `power` 2 is an ellipsoid, more is squarer. `turn_deg` turns about the body axis.
        """
        piece = self._cover(centre, radii, power, turn_deg, soft_mm)
        if piece is None:
            return
        rows, columns, cover = piece
        target = self.image[rows, columns]
        if isinstance(value, np.ndarray):
            value = value[rows, columns]
        target += cover * (value - target)

    def cover(
        self, centre: Point, radii: Point, *, power: float = 2.0, soft_mm: float = 1.2
    ) -> Array:
        """Return how far each point lies inside this shape, 0 to 1, painting nothing."""
        whole: Array = np.zeros(self.image.shape, np.float32)
        piece = self._cover(centre, radii, power, 0.0, soft_mm)
        if piece is not None:
            whole[piece[0], piece[1]] = piece[2]
        return whole

    def _cover(
        self, centre: Point, radii: Point, power: float, turn_deg: float, soft_mm: float
    ) -> tuple[slice, slice, Array] | None:
        plane, widest = self.plane, max(radii[0], radii[1])
        farthest = (widest, widest, radii[2]) if turn_deg else radii
        axes = (plane.x, plane.y, plane.z)
        cuts = [
            reach(axis, c, r * 1.1 + soft_mm)
            for axis, c, r in zip(axes, centre, farthest, strict=True)
        ]
        if any(cut.start == cut.stop for cut in cuts):
            return None
        windows = [
            axis[cut, :] if axis.shape[0] > 1 else axis[:, cut]
            for axis, cut in zip(axes, cuts, strict=True)
        ]
        dx, dy, dz = (w - np.float32(c) for w, c in zip(windows, centre, strict=True))
        if turn_deg:
            cosine, sine = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
            dx, dy = (
                (cosine * dx + sine * dy).astype(np.float32),
                (cosine * dy - sine * dx).astype(np.float32),
            )
        parts = zip((dx, dy, dz), radii, strict=True)
        distance = sum(np.abs(d / np.float32(r)) ** np.float32(power) for d, r in parts)
        distance = np.asarray(distance, np.float32) ** np.float32(1 / power)
        cover = np.clip((1 - distance) * np.float32(min(radii) / soft_mm) + 0.5, 0, 1)
        rows = next((c for a, c in zip(axes, cuts, strict=True) if a.shape[0] > 1), slice(None))
        columns = next((c for a, c in zip(axes, cuts, strict=True) if a.shape[1] > 1), slice(None))
        return rows, columns, cover

    def mix(self, value: float | Array, cover: Array) -> None:
        """Paint this value where `cover` says so."""
        self.image += cover * (value - self.image)


@dataclass(frozen=True)
class Build:
    """How one invented person differs from the mean, and what is wrong with them."""

    seed: str
    finding: str = ""

    def jitter(self, what: str, share: float = 0.05) -> float:
        """Return a factor near 1 that belongs to this person and this part."""
        return _jitter(self.seed, what, share)


@cache
def _jitter(seed: str, what: str, share: float) -> float:
    return float(1 + randomness(seed, what).uniform(-share, share))


def phase_values(phase: str) -> dict[str, float]:
    """Return the HU of each tissue, iodine of this phase added (plain: none)."""
    added = CONTRAST.get(phase, {})
    return {tissue: hu + added.get(tissue, 0.0) for tissue, hu in HU.items()}


# ------------------------------------------------------------------ head
def head(plane: Plane, build: Build, values: dict[str, float], *, texture: float) -> Array:
    """Paint a head: scalp, skull, folded cortex, ventricles, orbits, sinuses."""
    canvas = Canvas(plane, values["air"])
    wide, long = 71 * build.jitter("head width", 0.03), 89 * build.jitter("head length", 0.03)
    x, y, z = plane.x, plane.y, plane.z
    slow = Waves(34, randomness(build.seed, "slow")).at(x, y, z)
    folds = Waves(23, randomness(build.seed, "folds"), terms=7).at(x, y, z)
    canvas.blob(values["fat"], (0, 20, -85), (56, 59, 64), power=2.5)  # neck
    canvas.blob(values["muscle"] + 6 * texture * slow, (0, 20, -85), (52, 55, 60), power=2.5)
    canvas.blob(values["fat"], (0, 38 - long, -62), (57, 44, 48), power=2.4)  # cheeks
    canvas.blob(values["muscle"], (0, 40 - long, -62), (51, 38, 44), power=2.4)
    canvas.blob(values["fat"], (0, 0, 0), (wide + 8, long + 8, 96))
    canvas.blob(values["muscle"], (0, -6, -52), (wide - 6, long - 8, 45))
    canvas.blob(values["skull"], (0, 0, 4), (wide + 3, long + 3, 88), soft_mm=1.6)
    hollow = canvas.cover((0, 0, 4), (wide - 4, long - 4, 80), soft_mm=1.6)
    if hollow.any():
        floor = -34 - 0.28 * y + 5 * slow  # the skull base falls to the back
        above = np.asarray(np.clip((z - floor) / 1.5 + 0.5, 0, 1), np.float32)
        below = np.clip((floor - 2.5 - z) / 1.5 + 0.5, 0, 1)
        canvas.mix(values["csf"], np.asarray(hollow * above, np.float32))
        canvas.mix(values["muscle"], np.asarray(hollow * below, np.float32))
        _brain(canvas, build, values, (wide - 4, long - 4, 80), (folds, slow), texture, above)
    _face(canvas, build, values, long)
    return canvas.image


def _brain(
    canvas: Canvas,
    build: Build,
    values: dict[str, float],
    radii: Point,
    fields: tuple[Array, Array],
    texture: float,
    above: Array,
) -> None:
    x, y, z = canvas.plane.x, canvas.plane.y, canvas.plane.z
    folds, slow = fields
    depth = np.sqrt((x / radii[0]) ** 2 + (y / radii[1]) ** 2 + ((z - 4) / radii[2]) ** 2)
    # A sulcus is where the fold field crosses zero, deepest at the surface.
    groove = np.exp(-((folds / 0.30) ** 2)) * np.clip((depth - 0.66) / 0.2, 0, 1)
    cover = np.clip((0.975 - depth) * 40 + 0.5, 0, 1) * above
    canvas.mix(values["grey"] + texture * slow, np.asarray(cover * (1 - 0.85 * groove), np.float32))
    core = np.clip((0.80 + 0.06 * slow - 0.28 * groove - depth) * 16 + 0.5, 0, 1) * cover
    canvas.mix(values["white"] + texture * slow, np.asarray(core, np.float32))
    falx = np.exp(-((x / 1.1) ** 2)) * np.clip((depth - 0.45) * 8, 0, 1) * cover
    falx = falx * np.clip(z + 5, 0, 1)
    canvas.mix(values["falx"], np.asarray(0.6 * falx, np.float32))
    cleft = np.exp(-((x / 1.6) ** 2)) * cover * np.clip((depth - 0.87) * 50, 0, 1)
    canvas.mix(values["csf"], np.asarray(cleft, np.float32))
    for side in (-1, 1):
        size = build.jitter(f"ventricle{side}", 0.15)
        canvas.blob(values["grey"], (side * 24, 4, 6), (11, 22, 14), turn_deg=side * 12)
        canvas.blob(values["grey"], (side * 13, 10, 2), (9, 13, 11))  # thalamus
        canvas.blob(values["csf"], (side * 11, -20, 16), (5.5 * size, 17, 11), turn_deg=side * -18)
        canvas.blob(values["csf"], (side * 14, 6, 25), (6.0 * size, 26, 8), turn_deg=side * 10)
        canvas.blob(values["csf"], (side * 24, 34, 12), (6.0 * size, 15, 11), turn_deg=side * 25)
        canvas.blob(values["csf"], (side * 40, -12, 2), (9, 3.0, 15), turn_deg=side * -20)
    canvas.blob(values["csf"], (0, 0, 6), (2.4, 14, 10))  # third ventricle
    canvas.blob(values["white"], (0, 18, -30), (14, 13, 24))  # brain stem
    for side in (-1, 1):
        canvas.blob(values["grey"] + texture * slow, (side * 25, 44, -34), (25, 24, 19))
    canvas.blob(values["csf"], (0, 31, -30), (7, 4, 9))  # fourth ventricle
    if build.finding == "haemorrhage":
        canvas.blob(values["csf"] + 12, (-27, 2, 12), (17, 23, 15), turn_deg=-10)  # oedema
        canvas.blob(values["lesion"] + 4 * slow, (-27, 2, 12), (13, 19, 12), turn_deg=-10)
    if build.finding == "infarct":
        canvas.blob(values["lesion"], (30, 6, 22), (9, 12, 8), soft_mm=4)


def _face(canvas: Canvas, build: Build, values: dict[str, float], long: float) -> None:
    front = -long
    for side in (-1, 1):
        canvas.blob(values["skull"], (side * 31, front + 26, -34), (21, 23, 19), soft_mm=2)
        canvas.blob(values["fat"], (side * 31, front + 23, -34), (17.5, 23, 16))
        canvas.blob(values["eye"], (side * 31, front + 16, -34), (12, 12, 12))  # eye
        canvas.blob(
            values["muscle"], (side * 24, front + 42, -34), (2.2, 18, 2.2), turn_deg=side * -14
        )
        canvas.blob(values["skull"], (side * 40, 14, -46), (24, 14, 17))  # petrous bone
        for cell in range(9):
            rng = randomness(build.seed, "mastoid", side, cell)
            spot = (
                side * (52 + rng.uniform(-9, 9)),
                24 + rng.uniform(-8, 8),
                -46 + rng.uniform(-9, 9),
            )
            canvas.blob(values["air"], spot, (2.8, 2.8, 3.2))
        canvas.blob(values["skull"], (side * 26, front + 34, -68), (15, 18, 17))
        canvas.blob(
            values["air"], (side * 26, front + 34, -68), (12.5, 15, 14.5)
        )  # maxillary sinus
        canvas.blob(values["air"], (side * 8, front + 34, -40), (5, 20, 16))  # ethmoid cells
        canvas.blob(values["skull"], (side * 8, front + 34, -40), (0.8, 20, 16))
        canvas.blob(values["air"], (side * 9, front + 8, -14), (7, 4, 9))  # frontal sinus
    canvas.blob(values["fat"], (0, front - 6, -52), (11, 14, 20))  # nose
    canvas.blob(values["air"], (0, front + 14, -62), (8, 30, 14))
    canvas.blob(values["skull"], (0, front + 14, -60), (1.0, 28, 14))
    canvas.blob(values["air"], (0, -2, -84), (11, 9, 40))  # pharynx
    canvas.blob(values["skull"], (0, 34, -92), (19, 14, 40))  # upper cervical spine
    canvas.blob(values["csf"], (0, 44, -92), (10, 8, 40))
    canvas.blob(values["white"], (0, 43, -80), (6, 5, 50))


# ------------------------------------------------------------------ trunk, CT
Bead = tuple[Point, float]


@cache
def _ribs(build: Build, wide: float, deep: float, heights: range) -> list[Bead]:
    """Return the ribs as beads: each runs from the spine round to the front, falling on its way."""
    beads: list[Bead] = []
    for index, top in enumerate(heights):
        for side in (-1, 1):
            end = 150 if index < 7 else 110  # noqa: PLR2004 - the lower ribs are shorter
            for angle in np.deg2rad(np.arange(12, end, 2.6)):
                where = (
                    side * wide * float(np.sin(angle)) * build.jitter(f"rib{index}", 0.01),
                    deep * float(np.cos(angle)) * (1.0 if angle < np.pi / 2 else 0.94),
                    top - 34 * float(np.sin(angle / 2)) ** 1.3,
                )
                beads.append((where, 4.8))
    return beads


def _spine(canvas: Canvas, values: dict[str, float], y: float, step: float) -> None:
    """Paint vertebrae on the axis: bodies, arch, processes, and the canal with its cord."""
    z = float(canvas.plane.z[0, 0])
    level = round(z / step) * step
    canvas.blob(values["gut"] + 45, (0, y, z), (21, 15, 9), power=2.4)  # disc
    canvas.blob(values["cortex"] * 0.75, (0, y, level), (21, 15.5, step * 0.44), power=3)
    canvas.blob(values["trabecular"], (0, y, level), (19, 13.6, step * 0.40), power=3)
    for side in (-1, 1):
        canvas.blob(
            values["cortex"] * 0.7,
            (side * 13, y + 20, level),
            (6, 11, step * 0.3),
            turn_deg=side * -30,
        )
        canvas.blob(
            values["cortex"] * 0.6,
            (side * 25, y + 23, level),
            (15, 4.5, step * 0.2),
            turn_deg=side * 18,
        )
        canvas.blob(
            values["cortex"] * 0.55,
            (side * 9, y + 33, level),
            (12, 4, step * 0.35),
            turn_deg=side * 40,
        )
    canvas.blob(values["cortex"] * 0.65, (0, y + 42, level - 6), (3.6, 14, step * 0.3))
    canvas.blob(values["fluid"] + 14, (0, y + 23, z), (9.5, 8, 9))
    canvas.blob(values["soft"], (0, y + 23, z), (5.5, 4.6, 9))


def _trunk(
    canvas: Canvas, build: Build, values: dict[str, float], radii: tuple[float, float]
) -> None:
    """Paint skin, fat, the muscle wall and the table the patient lies on."""
    wide, deep = radii
    z = float(canvas.plane.z[0, 0])
    canvas.blob(-120.0, (0, deep + 62, z), (215, 46, 9), power=6)
    canvas.blob(values["air"], (0, deep + 40, z), (230, 52, 12), power=4)
    canvas.blob(values["soft"] - 15, (0, 0, z), (wide + 2.5, deep + 2.5, 400), power=2.5)
    canvas.blob(values["fat"], (0, 0, z), (wide, deep, 400), power=2.5)
    fat = 11 * build.jitter("fat", 0.5)
    marble = 8 * Waves(26, randomness(build.seed, "muscle")).at(
        canvas.plane.x, canvas.plane.y, canvas.plane.z
    )
    canvas.blob(values["muscle"] + marble, (0, 0, z), (wide - fat, deep - fat, 400), power=2.4)


def chest(plane: Plane, build: Build, values: dict[str, float]) -> Array:
    """Paint a slice of the chest between shoulders (z 130) and upper liver (z −130)."""
    canvas = Canvas(plane, values["air"])
    wide, deep = 168 * build.jitter("chest width"), 112 * build.jitter("chest depth")
    z = float(plane.z[0, 0])
    taper = 1 - 0.10 * max(0.0, z / 130)
    _trunk(canvas, build, values, (wide * taper, deep * taper))
    x, y, zz = plane.x, plane.y, plane.z
    fine = Waves(13, randomness(build.seed, "lung"), terms=7).at(x, y, zz)
    for side in (-1, 1):  # scapula and the muscles on it
        canvas.blob(values["fat"] + 20, (side * 118, 66, 90), (38, 14, 70), turn_deg=side * -34)
        canvas.blob(
            values["cortex"] * 0.7, (side * 112, 64, 78), (36, 3.2, 62), turn_deg=side * -34
        )
    inside = (wide - 34, deep - 32)
    canvas.blob(values["fat"] + 12 * fine, (0, 0, z), (*inside, 400), power=2.3)  # mediastinal fat
    lungs = _lungs(canvas, build, values, inside, fine)
    _mediastinum(canvas, build, values, z)
    _lung_vessels(canvas, build, values, lungs)
    _diaphragm(canvas, build, values, inside)
    for centre, radius in _ribs(build, wide - 27, deep - 24, range(140, -200, -27)):
        if abs(centre[2] - z) < radius + 1:
            canvas.blob(values["cortex"] * 0.8, centre, (radius, radius, radius + 1), soft_mm=1.6)
            canvas.blob(values["trabecular"], centre, (radius - 2.4,) * 3, soft_mm=1.6)
    _spine(canvas, values, deep - 62, 24)
    canvas.blob(values["cortex"] * 0.5, (0, -deep + 26, 40), (19, 6, 95), power=2.6)  # sternum
    canvas.blob(values["trabecular"], (0, -deep + 26, 40), (15.5, 3.4, 92), power=2.6)
    return canvas.image


def _lungs(
    canvas: Canvas, build: Build, values: dict[str, float], inside: tuple[float, float], fine: Array
) -> Array:
    wide, deep = inside
    total: Array = np.zeros(canvas.image.shape, np.float32)
    air = np.broadcast_to(values["lung"] + 14 * fine + 26 * canvas.plane.y / 100, total.shape)
    for side in (-1, 1):
        height = 158 * build.jitter("lung height", 0.03)
        shape: tuple[Point, Point] = (
            (side * wide * 0.54, 6, 0),
            (wide * 0.44, deep * 0.97, height),
        )
        total = np.maximum(total, canvas.cover(*shape, power=2.6))
    canvas.mix(np.asarray(air, np.float32), total)
    return total


def _mediastinum(canvas: Canvas, build: Build, values: dict[str, float], z: float) -> None:
    big = build.jitter("heart", 0.10)
    canvas.blob(values["heart"] + 4, (26, -18, -52), (66 * big, 50 * big, 62), turn_deg=28)
    canvas.blob(values["blood"], (38, -24, -56), (33 * big, 20 * big, 36), turn_deg=28)
    canvas.blob(values["blood"], (-18, -10, -44), (28, 26, 40))
    canvas.blob(values["blood"], (4, -22, 16), (16, 17, 46))  # ascending aorta
    canvas.blob(values["blood"], (26, 8, 40), (15, 34, 13), turn_deg=-24)  # arch
    canvas.blob(values["blood"], (22, 38, -60), (12.5, 12.5, 112))  # descending aorta
    canvas.blob(values["blood"], (22, -16, 6), (30, 12, 12), turn_deg=-24)  # pulmonary trunk
    canvas.blob(values["blood"], (-34, 0, 2), (34, 9, 9), turn_deg=-8)
    canvas.blob(values["blood"], (52, 8, 6), (26, 9, 9), turn_deg=16)
    canvas.blob(values["vein"], (-27, -14, 62), (9.5, 9.5, 62))  # superior vena cava
    for spot in ((-14, 2), (12, 2), (24, 8)):
        canvas.blob(values["blood"], (*spot, 100), (5.5, 5.5, 46))
    canvas.blob(values["air"], (-1, 14, 90), (8.5, 8.5, 72))  # trachea
    for side in (-1, 1):
        canvas.blob(values["air"], (side * 17, 18, 12), (15, 5.6, 12), turn_deg=side * 12)
    canvas.blob(values["gut"], (4, 33, z), (8, 6, 9))
    canvas.blob(values["air"], (4, 33, z), (2.4, 1.5, 9))  # oesophagus


@cache
def vessels(seed: str) -> tuple[tuple[Point, Point, float], ...]:
    """Return the lung's vessels as tapering segments that fork away from the hila."""
    rng = randomness(seed, "tree")
    segments: list[tuple[Point, Point, float]] = []
    for side in (-1, 1):
        front = [(np.array([side * 38.0, 6.0, 4.0]), _away(rng, side), 5.2) for _ in range(9)]
        for _ in range(7):
            grown = []
            for start, heading, radius in front:
                stop = start + heading * rng.uniform(12, 19)
                segments.append((tuple(start), tuple(stop), radius))
                for _ in range(2 if radius > 1.0 else 1):
                    turned = heading + rng.normal(0, 0.42, 3)
                    grown.append((stop, turned / np.linalg.norm(turned), radius * 0.74))
            front = grown
    return tuple(segments)


def _away(rng: np.random.Generator, side: int) -> npt.NDArray[np.float64]:
    heading = np.array([side * rng.uniform(0.35, 1), rng.uniform(-0.8, 0.8), rng.uniform(-1, 1)])
    length: float = float(np.linalg.norm(heading))
    return heading / length


def _lung_vessels(canvas: Canvas, build: Build, values: dict[str, float], lungs: Array) -> None:
    z = float(canvas.plane.z[0, 0])
    before = canvas.image.copy()
    for start, stop, radius in vessels(build.seed):
        low, high = sorted((start[2], stop[2]))
        if not low - radius <= z <= high + radius:
            continue
        size = max(radius, 1.0)
        for share in np.linspace(0, 1, int(18 / size)):
            centre = tuple(a + share * (b - a) for a, b in zip(start, stop, strict=True))
            if abs(centre[2] - z) <= size:
                canvas.blob(values["blood"] - 30, centre, (size, size, size), soft_mm=1.2)
    if build.finding == "nodule":
        canvas.blob(values["nodule"], (-82, -10, 52), (6.5, 6.0, 6.5), soft_mm=1.6)
    if build.finding == "pneumonia":
        patch = canvas.image * 0.35 - 130
        canvas.blob(patch, (-86, 40, -22), (30, 26, 32), soft_mm=9)
    keep = lungs > 0.5  # noqa: PLR2004
    canvas.image[:] = np.where(keep, canvas.image, before)


def _diaphragm(
    canvas: Canvas, build: Build, values: dict[str, float], inside: tuple[float, float]
) -> None:
    wide, deep = inside
    waves = 5 * Waves(40, randomness(build.seed, "liver")).at(
        canvas.plane.x, canvas.plane.y, canvas.plane.z
    )
    canvas.blob(values["liver"] + waves, (-58, -2, -150), (wide * 0.52, deep * 0.9, 74), power=2.3)
    canvas.blob(values["spleen"], (82, 30, -160), (38, 34, 66))
    canvas.blob(values["fluid"] + 12, (52, -20, -160), (40, 34, 58))
    canvas.blob(values["air"], (52, -40, -160), (30, 15, 52))  # gas under the left dome


def abdomen(plane: Plane, build: Build, values: dict[str, float]) -> Array:
    """Paint a slice of the upper abdomen, liver dome (z 90) to lower poles (z −110)."""
    canvas = Canvas(plane, values["air"])
    wide, deep = 160 * build.jitter("belly width"), 112 * build.jitter("belly depth")
    z = float(plane.z[0, 0])
    _trunk(canvas, build, values, (wide, deep))
    inside = (wide - 30, deep - 28)
    slow = Waves(30, randomness(build.seed, "organs")).at(plane.x, plane.y, plane.z)
    canvas.blob(values["fat"] + 9 * slow, (0, -8, z), (*inside, 400), power=2.4)
    for centre, radius in _ribs(build, wide - 22, deep - 20, range(150, -60, -27)):
        if abs(centre[2] - z) < radius + 1:
            canvas.blob(values["cortex"] * 0.8, centre, (radius, radius, radius + 1), soft_mm=1.6)
            canvas.blob(values["trabecular"], centre, (radius - 2.4,) * 3, soft_mm=1.6)
    _bowel(canvas, build, values, slow)
    canvas.blob(values["liver"] + 4 * slow, (-62, -8, 30), (74, 76, 92), power=2.3, turn_deg=-16)
    canvas.blob(values["liver"] + 4 * slow, (8, -44, 48), (58, 32, 50), turn_deg=8)
    for index in range(26):
        rng = randomness(build.seed, "portal", index)
        spot = (rng.uniform(-110, -12), rng.uniform(-52, 34), rng.uniform(-20, 84))
        canvas.blob(
            values["portal"],
            spot,
            (rng.uniform(2, 5), rng.uniform(2, 7), 9),
            turn_deg=float(rng.uniform(0, 180)),
        )
    canvas.blob(values["portal"], (-24, -6, 14), (24, 7, 8), turn_deg=-20)
    canvas.blob(values["bile"], (-46, -50, -22), (14, 20, 26), turn_deg=20)  # gall bladder
    if build.finding == "cyst":
        canvas.blob(values["bile"] - 4, (-74, 8, 44), (15, 14, 15))
    canvas.blob(values["spleen"] + 5 * slow, (92, 34, 36), (26, 40, 50), turn_deg=-28)
    canvas.blob(
        values["gut"] + 10 + 5 * slow, (14, -14, -6), (44, 10, 12), turn_deg=-12
    )  # pancreas
    for side in (-1, 1):
        low = -18 if side < 0 else -6
        canvas.blob(values["kidney"], (side * 62, 38, low), (25, 29, 54), turn_deg=side * 24)
        canvas.blob(values["fat"], (side * 53, 34, low), (10, 12, 22), turn_deg=side * 24)
        canvas.blob(values["muscle"] + 8, (side * 34, 44, -80), (17, 20, 78))  # psoas
        canvas.blob(values["muscle"] + 10 * slow, (side * 36, deep - 24, z), (34, 17, 400))
        canvas.blob(values["soft"], (side * 42, 22, 56), (3, 13, 14), turn_deg=side * 30)  # adrenal
    canvas.blob(values["blood"], (10, 18, 0), (10.5, 10.5, 400))  # aorta
    canvas.blob(values["vein"], (-20, 18, 0), (12, 10, 400))  # vena cava
    canvas.blob(values["blood"], (8, 2, -8), (4.4, 4.4, 70))  # superior mesenteric artery
    _spine(canvas, values, deep - 66, 30)
    return canvas.image


def _bowel(canvas: Canvas, build: Build, values: dict[str, float], slow: Array) -> None:
    canvas.blob(values["gut"], (48, -36, 34), (46, 34, 46))  # stomach
    canvas.blob(values["fluid"] + 14, (48, -34, 34), (42, 30, 42))
    canvas.blob(values["air"], (48, -52, 36), (32, 13, 36))
    for index in range(34):
        rng = randomness(build.seed, "loop", index)
        spot = (rng.uniform(-98, 104), rng.uniform(-66, -6), rng.uniform(-150, -26))
        size = rng.uniform(10, 17)
        canvas.blob(values["gut"] + 6 * slow, spot, (size, size * 0.9, size * 1.6))
        if rng.uniform() < 0.4:  # noqa: PLR2004 - share of loops with gas
            canvas.blob(
                values["air"], (spot[0], spot[1] - 4, spot[2]), (size * 0.6, size * 0.45, size)
            )
        else:
            canvas.blob(values["fluid"] + 8, spot, (size * 0.6, size * 0.5, size * 1.2))
    for side in (-1, 1):
        canvas.blob(values["gut"], (side * 108, 8, -90), (19, 21, 84))
        canvas.blob(-220.0 + 160 * slow, (side * 108, 8, -90), (15, 17, 80))  # colon with stool


# ------------------------------------------------------------------ lumbar and cervical spine, MR
@dataclass(frozen=True)
class SpineShape:
    """The levels of one stretch of spine."""

    levels: int
    step: float
    body: Point
    bow: float
    cord: float
    sac: float


SPINES = {
    "lumbar": SpineShape(8, 35.0, (23, 17, 13.5), 22.0, 4.2, 7.4),
    "cervical": SpineShape(10, 19.5, (13, 9.5, 7.2), 9.0, 5.2, 6.0),
}


def spine(plane: Plane, build: Build, values: dict[str, float], *, part: str) -> Array:
    """Paint vertebrae, discs, the dural sac with its cord, and what lies around them."""
    shape = SPINES[part]
    canvas = Canvas(plane, values["air"])
    deep = 112.0 if part == "lumbar" else 66.0
    wide = 165.0 if part == "lumbar" else 74.0
    slow = Waves(24, randomness(build.seed, "marrow")).at(plane.x, plane.y, plane.z)
    canvas.blob(values["fat"], (0, 0, 0), (wide, deep, 900), power=2.4)
    canvas.blob(values["muscle"] + 0.03 * slow, (0, 0, 0), (wide - 13, deep - 15, 900), power=2.4)
    _prevertebral(canvas, build, values, part, deep)
    half = shape.levels * shape.step / 2
    depth = deep * 0.30

    def middle(z: float) -> float:
        return depth - shape.bow * (1 - (2 * z / (2 * half)) ** 2)

    bx, by, _ = shape.body
    for side in (-1, 1):
        canvas.blob(
            values["muscle"] + 0.05 * slow,
            (side * bx * 1.6, depth + by * 2.9, 0),
            (bx * 1.3, by * 1.2, 900),
        )
    for index in range(shape.levels * 3):
        z = half - index * shape.step / 3
        y = middle(z)
        canvas.blob(values["fat"], (0, y + by * 2.05, z), (by * 0.8, by * 0.42, shape.step * 0.24))
        canvas.blob(values["csf"], (0, y + by * 1.45, z), (by * 0.78, shape.sac, shape.step * 0.34))
    for index in range(shape.levels * 4 if part == "cervical" else shape.levels * 2):
        z = half - index * shape.step / 4
        canvas.blob(
            values["cord"],
            (0, middle(z) + by * 1.45, z),
            (shape.cord, shape.cord * 0.72, shape.step * 0.3),
        )
    if part == "lumbar":
        for strand in range(5):
            for index in range(shape.levels * 2, shape.levels * 4):
                z = half - index * shape.step / 4
                where = (strand * 2.2 - 4.4, middle(z) + by * 1.5 + 1.6 * np.sin(strand), z)
                canvas.blob(values["cord"], where, (0.7, 0.7, shape.step * 0.2))
    for index in range(shape.levels):
        _vertebra(canvas, build, values, shape, index, middle, slow)
    return canvas.image


def _vertebra(
    canvas: Canvas,
    build: Build,
    values: dict[str, float],
    shape: SpineShape,
    index: int,
    middle: Callable[[float], float],
    slow: Array,
) -> None:
    z = (shape.levels / 2 - index - 0.5) * shape.step
    y, (bx, by, bz) = middle(z), shape.body
    canvas.blob(values["cortex"], (0, y, z), (bx + 1.3, by + 1.3, bz + 1.3), power=4.5, soft_mm=0.9)
    canvas.blob(values["marrow"] + 0.04 * slow, (0, y, z), (bx, by, bz), power=4.5, soft_mm=0.9)
    canvas.blob(
        values["cortex"], (0, y + by * 2.9, z - bz * 0.8), (3.2, by * 0.86, bz * 0.62), power=3
    )
    canvas.blob(
        values["marrow"], (0, y + by * 2.9, z - bz * 0.8), (2.2, by * 0.74, bz * 0.48), power=3
    )
    for side in (-1, 1):
        canvas.blob(
            values["cortex"], (side * bx * 0.72, y + by * 1.6, z), (bx * 0.24, by * 0.8, bz * 0.8)
        )
        canvas.blob(
            values["marrow"], (side * bx * 0.72, y + by * 1.6, z), (bx * 0.16, by * 0.66, bz * 0.66)
        )
    below = z - shape.step / 2
    worn = build.finding == "disc" and index == shape.levels - 3
    signal = values["disc"] * (0.5 if worn else build.jitter(f"disc{index}", 0.18))
    y = middle(below)
    height = shape.step / 2 - bz - 1.0
    canvas.blob(values["soft"] * 0.5, (0, y, below), (bx, by + 0.4, height), power=3.2, soft_mm=0.8)
    canvas.blob(signal, (0, y + 0.5, below), (bx * 0.72, by * 0.7, height * 0.72), power=2.6)
    if worn:
        canvas.blob(signal, (2, y + by * 1.08, below), (6.5, 5.2, height * 0.8))


def _prevertebral(
    canvas: Canvas, build: Build, values: dict[str, float], part: str, deep: float
) -> None:
    if part == "cervical":
        canvas.blob(values["air"], (0, -deep * 0.30, -20), (8, 7, 95))
        canvas.blob(values["soft"], (0, -deep * 0.36, 58), (24, 24, 34))
        return
    canvas.blob(values["fat"] * 0.9, (0, -34, 0), (130, 58, 900), power=2.4)
    canvas.blob(values["blood"], (8, deep * 0.30 - 50, 40), (8, 8, 150))
    for index in range(40):
        rng = randomness(build.seed, "gut", index)
        across = rng.uniform(-24, 24) if index % 2 else rng.uniform(-100, 100)
        spot = (across, rng.uniform(-84, -18), rng.uniform(-150, 150))
        size = rng.uniform(9, 17)
        canvas.blob(values["soft"] * rng.uniform(0.7, 1.5), spot, (size, size, size * 1.2))
    for side in (-1, 1):
        canvas.blob(values["muscle"], (side * 44, deep * 0.30 - 6, -30), (20, 22, 150))
