"""Cast the insides of invented people onto a flat panel: chest, hand and knee films.

Attenuation along each ray in parallel projection, then counted photons, logarithm and a display
curve, as a console prints them. Millimetres from the middle of the panel.
"""

from collections.abc import Sequence

import numpy as np

from accord.app.demo.anatomy import Array, Build, reach, vessels

THIN_MM = 40.0  # less lung than this along the ray shows no vessels
MU = {"soft": 0.0175, "lung": 0.0050, "bone": 0.034, "limb": 0.021, "limb_bone": 0.080}


class Film:
    """The attenuation along each ray onto a flat panel; rows down, columns right, centre 0."""

    def __init__(self, rows: int, columns: int, spacing_mm: float) -> None:
        """Start with air."""
        self.spacing_mm = spacing_mm
        self.u = ((np.arange(columns) - (columns - 1) / 2) * spacing_mm).astype(np.float32)[None, :]
        self.v = ((np.arange(rows) - (rows - 1) / 2) * spacing_mm).astype(np.float32)[:, None]
        self.ray: Array = np.zeros((rows, columns), np.float32)

    def _window(self, u: float, v: float, radius: float) -> tuple[slice, slice]:
        return reach(self.v, v, radius), reach(self.u, u, radius)

    def ellipsoid(
        self,
        mu: float,
        centre: tuple[float, float],
        radii: tuple[float, float],
        depth_mm: float,
        *,
        power: float = 2.0,
        turn_deg: float = 0.0,
        onto: Array | None = None,
    ) -> None:
        """Add the thickness of a solid times `mu` (negative: a hollow)."""
        target = self.ray if onto is None else onto
        rows, columns = self._window(*centre, max(radii) * 1.02)
        du, dv = self.u[:, columns] - centre[0], self.v[rows] - centre[1]
        if turn_deg:
            cosine, sine = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
            du, dv = cosine * du + sine * dv, cosine * dv - sine * du
        distance = np.abs(du / radii[0]) ** power + np.abs(dv / radii[1]) ** power
        thickness = np.clip(1 - distance, 0, 1) ** (1 / power)
        target[rows, columns] += (mu * depth_mm * thickness).astype(np.float32)

    def tube(
        self,
        mu: float,
        path: Sequence[tuple[float, float]],
        radius: float | Sequence[float],
        *,
        hollow: float = 0.0,
    ) -> None:
        """Add a bent rod along `path`; `hollow` is the share of its radius that is marrow."""
        radii = [radius] * len(path) if isinstance(radius, int | float) else list(radius)
        rim = max(radii)
        us, vs = [p[0] for p in path], [p[1] for p in path]
        across, down = (
            _span(self.u, min(us) - rim, max(us) + rim),
            _span(self.v, min(vs) - rim, max(vs) + rim),
        )
        u, v = self.u[:, across], self.v[down]
        thick: Array = np.zeros((v.size, u.size), np.float32)
        for index in range(len(path) - 1):
            ends = (path[index], path[index + 1])
            wide, far = max(radii[index : index + 2]), ends[1]
            lows, highs = zip(*(sorted(pair) for pair in zip(*ends, strict=True)), strict=True)
            columns = _span(u, lows[0] - wide, highs[0] + wide)
            rows = _span(v, lows[1] - wide, highs[1] + wide)
            du, dv = u[:, columns] - ends[0][0], v[rows] - ends[0][1]
            lu, lv = far[0] - ends[0][0], far[1] - ends[0][1]
            along = np.clip((du * lu + dv * lv) / max(lu * lu + lv * lv, 1e-6), 0, 1)
            square = (du - along * lu) ** 2 + (dv - along * lv) ** 2
            r = radii[index] + along * (radii[index + 1] - radii[index])
            piece = np.sqrt(np.clip(r * r - square, 0, None))
            if hollow:
                piece -= 0.72 * np.sqrt(np.clip((r * hollow) ** 2 - square, 0, None))
            here = thick[rows, columns]
            np.maximum(here, piece, out=here)
        self.ray[down, across] += np.float32(2 * mu) * thick

    def bone(
        self,
        mu: float,
        solids: Sequence[tuple[tuple[float, float], tuple[float, float], float]],
        shaft: Sequence[tuple[float, float]],
        radii: Sequence[float],
    ) -> None:
        """Add one bone grown together from a shaft and `solids` (centre, radii, depth)."""
        thickness: list[Array] = []
        for shrink in (0.0, 2.4):
            part = Film.like(self)
            part.tube(0.5, shaft, [max(r - shrink, 1.0) for r in radii])
            whole = part.ray * 2
            for centre, (ru, rv), depth in solids:
                bulb = Film.like(self)
                bulb.ellipsoid(1, centre, (ru - shrink, rv - shrink), depth - 2 * shrink, power=2.5)
                whole = np.maximum(whole, bulb.ray)
            thickness.append(whole)
        self.ray += np.float32(mu) * (thickness[0] - np.float32(0.62) * thickness[1])

    @classmethod
    def like(cls, other: "Film") -> "Film":
        """Return an empty panel of the same make."""
        rows, columns = other.ray.shape
        return cls(rows, columns, other.spacing_mm)


def _span(axis: Array, low: float, high: float) -> slice:
    return reach(axis, (low + high) / 2, (high - low) / 2)


def _smooth(image: Array, radius_px: int) -> Array:
    """Blur by running means, twice in each direction."""
    for _ in range(2):
        for axis in (0, 1):
            pad = [(radius_px + 1, radius_px) if a == axis else (0, 0) for a in (0, 1)]
            total = np.cumsum(np.pad(image, pad, mode="edge"), axis=axis, dtype=np.float32)
            size = 2 * radius_px + 1
            high = [slice(size, None) if a == axis else slice(None) for a in (0, 1)]
            low = [slice(None, -size) if a == axis else slice(None) for a in (0, 1)]
            image = ((total[tuple(high)] - total[tuple(low)]) / size).astype(np.float32)
    return image


def chest_film(film: Film, build: Build, *, lateral: bool) -> None:
    """Cast a chest onto the panel: from the front the patient's right comes out at the left."""
    if lateral:
        _chest_lateral(film, build)
    else:
        _chest_frontal(film, build)


def _chest_frontal(film: Film, build: Build) -> None:
    wide = 150 * build.jitter("film width", 0.04)
    body: Array = np.zeros_like(film.ray)
    film.ellipsoid(MU["soft"], (0, 60), (wide + 14, 330), 205, power=3, onto=body)
    film.ellipsoid(MU["soft"], (0, -190), (52, 90), 110, onto=body)
    for side in (-1, 1):
        film.ellipsoid(MU["soft"], (side * 128, -120), (78, 62), 95, turn_deg=side * 24, onto=body)
    film.ray += _smooth(body, 14)
    lungs: Array = np.zeros_like(film.ray)
    for side in (-1, 1):
        film.ellipsoid(
            1,
            (side * wide * 0.53, 6),
            (wide * 0.43, 158),
            150,
            power=2.3,
            turn_deg=side * -5,
            onto=lungs,
        )
    u, v = film.u, film.v
    dome = 84 + (u / 18) ** 2 / 9 + np.where(u > 0, 9, 0)
    for side in (-1, 1):
        dome = np.where(
            np.sign(u) == side, 84 + (9 if side > 0 else 0) + ((u - side * 66) / 60) ** 2 * 46, dome
        )
    lungs *= 1 / (1 + np.exp(np.clip((v - dome) / 2.2, -30, 30)))
    heart: Array = np.zeros_like(film.ray)
    big = build.jitter("heart", 0.08)
    film.ellipsoid(1, (24, 50), (64 * big, 46 * big), 1, turn_deg=32, onto=heart)
    film.ellipsoid(1, (-14, 44), (36, 46), 1, onto=heart)
    film.ellipsoid(1, (24, -34), (22, 22), 1, onto=heart)  # aortic knob
    film.ellipsoid(1, (0, -40), (26, 130), 1, power=3, onto=heart)
    lungs *= 1 - 0.62 * np.clip(_smooth(np.clip(heart, 0, 1), 4) * 1.3, 0, 1)
    film.ray -= np.float32(MU["soft"] - MU["lung"]) * _smooth(lungs, 3)
    _film_vessels(film, build, lungs, 0)
    film.ellipsoid(-MU["soft"], (0, -118), (8.5, 66), 15, power=3)  # trachea
    film.ellipsoid(-MU["soft"], (66, 118), (30, 17), 60)  # stomach bubble
    for index in range(14):
        film.ellipsoid(MU["bone"], (0, -200 + index * 26), (15, 11), 12, power=4)
        film.ellipsoid(MU["bone"], (0, -196 + index * 26), (4, 7), 10)
    _film_ribs(film, wide)
    for side in (-1, 1):
        film.tube(
            MU["bone"],
            [(side * 12, -122), (side * 52, -134), (side * 92, -140), (side * 132, -158)],
            (7, 5, 5.5, 7),
            hollow=0.5,
        )
        film.ellipsoid(MU["bone"] * 0.5, (side * 150, -90), (20, 70), 8, turn_deg=side * 12)
        film.ellipsoid(MU["bone"] * 0.6, (side * 168, -122), (24, 27), 26)
    if build.finding == "pneumonia":
        film.ellipsoid(MU["soft"], (-70, 40), (34, 26), 40)
    if build.finding == "nodule":
        film.ellipsoid(MU["soft"] * 1.6, (-78, -52), (8, 8), 16)


def _film_ribs(film: Film, wide: float) -> None:
    for index in range(10):
        top = -150 + index * 25
        spread = wide * min(0.60 + index * 0.085, 0.97)
        for side in (-1, 1):
            turn = np.linspace(0, np.pi * 0.5, 14)
            back = [
                (
                    side * (14 + (spread - 14) * float(np.sin(t))),
                    top + 30 * float(1 - np.cos(t)) - 8 * float(np.sin(2 * t)),
                )
                for t in turn
            ]
            film.tube(MU["bone"], back, 5.6, hollow=0.72)
            front = [
                (
                    side * (spread - (spread - 46) * float(1 - np.cos(t))),
                    top + 30 + 46 * float(np.sin(t)),
                )
                for t in turn
            ]
            film.tube(MU["bone"] * 0.75, front, 6.2, hollow=0.80)


def _film_vessels(film: Film, build: Build, lungs: Array, axis: int) -> None:
    before = film.ray.copy()
    for start, stop, radius in vessels(build.seed):
        if radius > 1.0:
            film.tube(MU["soft"] * 0.8, [(start[axis], -start[2]), (stop[axis], -stop[2])], radius)
    film.ray[:] = np.where(lungs > THIN_MM, film.ray, before)


def _chest_lateral(film: Film, build: Build) -> None:
    deep = 110 * build.jitter("film depth", 0.04)
    body: Array = np.zeros_like(film.ray)
    film.ellipsoid(MU["soft"], (0, 70), (deep + 22, 330), 300, power=2.6, onto=body)
    film.ellipsoid(MU["soft"], (6, -190), (56, 90), 130, onto=body)
    film.ray += _smooth(body, 14)
    lungs: Array = np.zeros_like(film.ray)
    film.ellipsoid(1, (6, 10), (deep * 0.92, 160), 235, power=2.4, onto=lungs)
    u, v = film.u, film.v
    dome = 76 + ((u + 12) / 60) ** 2 * 26 + u * 0.22
    lungs *= 1 / (1 + np.exp(np.clip((v - dome) / 2.2, -30, 30)))
    heart: Array = np.zeros_like(film.ray)
    film.ellipsoid(1, (-38, 44), (54, 44), 1, turn_deg=-24, onto=heart)
    film.ellipsoid(1, (-6, -30), (24, 60), 1, onto=heart)
    lungs *= 1 - 0.42 * np.clip(_smooth(np.clip(heart, 0, 1), 4) * 1.3, 0, 1)
    film.ray -= np.float32(MU["soft"] - MU["lung"]) * 0.8 * _smooth(lungs, 3)
    _film_vessels(film, build, lungs, 1)
    film.ellipsoid(-MU["soft"], (4, -106), (8.5, 74), 16, power=3, turn_deg=4)
    for index in range(15):
        sway = 62 + 16 * float(np.sin((index - 2) / 12 * np.pi))
        film.ellipsoid(MU["bone"], (sway, -204 + index * 25), (14, 10), 26, power=4, turn_deg=4)
        film.tube(
            MU["bone"] * 0.8, [(sway + 14, -206 + index * 25), (sway + 44, -192 + index * 25)], 4.5
        )
    for index in range(9):
        for shift in (0, 7):
            path = [
                (70 + shift, -150 + index * 26),
                (24 + shift, -128 + index * 27),
                (-34 + shift, -96 + index * 27),
                (-72 + shift, -74 + index * 25),
            ]
            film.tube(MU["bone"] * 0.62, path, 5.2, hollow=0.75)
    film.tube(
        MU["bone"] * 0.9, [(-deep + 6, -108), (-deep - 2, -20), (-deep + 2, 44)], 6, hollow=0.6
    )
    film.ellipsoid(MU["bone"] * 0.4, (84, -84), (18, 64), 10, turn_deg=-12)


HAND = (  # finger: base of the metacarpal, heading (degrees from up), lengths, radius
    ((-27.0, 30.0), -46.0, (40.0, 29.0, 22.0), 6.0),
    ((-17.0, 12.0), -11.0, (62.0, 38.0, 23.0, 17.0), 5.2),
    ((-4.0, 10.0), -2.0, (59.0, 43.0, 27.0, 18.0), 5.4),
    ((9.0, 13.0), 7.0, (53.0, 39.0, 25.0, 17.0), 4.9),
    ((20.0, 18.0), 18.0, (48.0, 31.0, 18.0, 15.0), 4.4),
)
CARPALS = (
    (-21, 34, 7, 6),
    (-11, 25, 7, 7),
    (0, 26, 6, 9),
    (13, 27, 7, 8),
    (-13, 42, 8, 6),
    (-1, 43, 8, 7),
    (11, 41, 7, 6),
    (17, 35, 5, 5),
)


def hand_film(film: Film, build: Build, *, side: str, oblique: bool, at_mm: float = 0.0) -> None:
    """Cast a hand, back towards the tube, fingers up; a right hand has its thumb at the left."""
    flip = 1.0 if side == "R" else -1.0
    squeeze = 0.72 if oblique else 1.0
    size = 0.95 * build.jitter("hand", 0.04)
    lean = 9.0 if oblique else 0.0

    def place(u: float, v: float) -> tuple[float, float]:
        return at_mm + flip * size * (u * squeeze + lean * v / 80), size * v + 40

    skin, bare = Film.like(film), Film.like(film)
    bones: list[tuple[list[tuple[float, float]], tuple[float, ...]]] = []
    for base, heading, lengths, radius in HAND:
        u, v = base
        angle = np.deg2rad(heading)
        across, up = float(np.sin(angle)), -float(np.cos(angle))
        outline = [place(u, v)]
        for index, length in enumerate(lengths):
            shaft = radius * (1 - 0.13 * index)
            ends = (shaft * 1.05, length - shaft * 1.05)  # the round ends reach the joint
            stops = [ends[0] + (ends[1] - ends[0]) * s for s in (0, 0.14, 0.5, 0.86, 1)]
            path = [place(u + across * s, v + up * s) for s in stops]
            bones.append((path, tuple(shaft * f for f in (1.16, 1.04, 0.70, 0.92, 1.04))))
            u, v = u + across * (length + 1.6), v + up * (length + 1.6)
            outline.append(place(u, v))
        bare.ray[:] = 0
        bare.tube(0.5, outline, (15, 12, *([9.5] * (len(outline) - 2))))
        np.maximum(skin.ray, 2 * bare.ray, out=skin.ray)
    bare.ray[:] = 0
    bare.ellipsoid(1.0, place(-1, 6), (37 * squeeze, 46), 30, power=2.6)
    bare.tube(0.5, [place(-2, 40), place(-2, 140)], (24 * squeeze, 30 * squeeze))
    flesh = np.minimum(_smooth(np.maximum(skin.ray, bare.ray), 4), 36)
    film.ray += np.float32(MU["limb"]) * flesh
    for path, radii in bones:
        film.tube(MU["limb_bone"], path, radii, hollow=0.66)
    for u, v, ru, rv in CARPALS:
        film.ellipsoid(MU["limb_bone"], place(u, v), (ru * squeeze, rv), 13, power=2.5)
        inner = (ru * squeeze - 1.4, rv - 1.4)
        film.ellipsoid(-MU["limb_bone"] * 0.62, place(u, v), inner, 10, power=2.5)
    film.tube(
        MU["limb_bone"], [place(-9, 62), place(-8, 72), place(-7, 140)], (12, 10, 7), hollow=0.74
    )
    film.tube(
        MU["limb_bone"], [place(13, 60), place(14, 68), place(14, 140)], (6, 5.4, 5), hollow=0.70
    )


def knee_film(film: Film, build: Build, *, side: str, lateral: bool) -> None:
    """Cast a knee: from the front the fibula lies outward, from the side the kneecap left."""
    size = build.jitter("knee", 0.05)
    skin = Film.like(film)
    if lateral:
        skin.tube(0.5, [(30, -190), (6, -20), (4, 14), (28, 190)], (66, 54, 50, 48))
    else:
        skin.tube(0.5, [(0, -190), (0, 0), (0, 190)], (66, 54, 49))
    film.ray += np.float32(MU["limb"]) * _smooth(np.minimum(2 * skin.ray, 100), 5)
    if lateral:
        _knee_lateral(film, size)
    else:
        _knee_frontal(film, size, -1.0 if side == "R" else 1.0, build)


KNEE_MU = 0.034


def _knee_frontal(film: Film, size: float, outward: float, build: Build) -> None:
    s = size
    condyles = [((way * 20 * s, -20.0), (20 * s, 21 * s), 52.0) for way in (-1, 1)]
    film.bone(KNEE_MU, condyles, [(0, -190), (0, -76), (0, -46)], (14 * s, 16 * s, 30 * s))
    plateau = [
        ((0.0, 17.0), (39 * s, 12.0), 46.0),
        ((-6.0, 4.0), (5.0, 6.0), 16.0),
        ((6.0, 4.0), (5.0, 6.0), 16.0),
    ]
    if build.finding == "osteophyte":
        plateau += [((way * 38.0 * s, 12.0), (6.5, 4.5), 20.0) for way in (-1, 1)]
    film.bone(KNEE_MU, plateau, [(0, 40), (0, 70), (0, 190)], (26 * s, 17 * s, 13 * s))
    film.bone(
        KNEE_MU, [], [(outward * 34, 30), (outward * 31, 46), (outward * 26, 190)], (8, 6.5, 6)
    )
    film.ellipsoid(KNEE_MU * 0.5, (outward * 2, -36), (21, 23), 18, power=2.4)


def _knee_lateral(film: Film, size: float) -> None:
    s = size
    condyles = [((7.0 + way, -18.0 + way), (29 * s, 23 * s), 36.0) for way in (0, 3)]
    film.bone(KNEE_MU, condyles, [(30, -190), (8, -76), (4, -44)], (14 * s, 15 * s, 22 * s))
    film.bone(
        KNEE_MU,
        [((9.0, 18.0), (30 * s, 12.0), 46.0)],
        [(6, 40), (10, 66), (28, 190)],
        (21 * s, 16 * s, 13 * s),
    )
    film.bone(KNEE_MU, [], [(31, 34), (34, 52), (44, 190)], (7.5, 6, 5.5))
    film.bone(KNEE_MU, [((-36.0, -30.0), (9.0, 21.0), 38.0)], [(-36, -34), (-36, -26)], (4, 4))


LETTERS = {  # strokes in a box one high, y down
    "R": (
        ((0.0, 1.0), (0.0, 0.0), (0.34, 0.0), (0.54, 0.07), (0.60, 0.25)),
        ((0.60, 0.25), (0.54, 0.43), (0.34, 0.5), (0.0, 0.5)),
        ((0.30, 0.5), (0.62, 1.0)),
    ),
    "L": (((0.0, 0.0), (0.0, 1.0), (0.58, 1.0)),),
}  # fmt: skip


def lead_marker(film: Film, letter: str, centre: tuple[float, float], height_mm: float) -> None:
    """Lay a lead letter on the panel; as on every film, it shows white and reads upright."""
    lead = Film.like(film)
    for stroke in LETTERS[letter]:
        path = [
            (centre[0] + (u - 0.3) * height_mm, centre[1] + (v - 0.5) * height_mm)
            for u, v in stroke
        ]
        lead.tube(4.0, path, height_mm * 0.085)
    film.ray += np.minimum(lead.ray, 4.0)


def expose(film: Film, rng: np.random.Generator, *, photons: float, top: float) -> Array:
    """Return the panel's picture, 0 to 1, bone light: counted photons, logarithm, display curve.

    `top` is the attenuation that shall come out nearly white. The collimator closes the outer
    rim; what little arrives there is scatter.
    """
    rows, columns = film.ray.shape
    edge = 9.0
    inside = np.minimum(
        np.minimum(film.u - film.u[0, 0], film.u[0, -1] - film.u),
        np.minimum(film.v - film.v[0, 0], film.v[-1, 0] - film.v),
    )
    shut = 1 / (1 + np.exp(np.clip((inside - edge) / 0.35, -30, 30)))
    ray = film.ray + shut * np.maximum(0, top * 1.12 - film.ray)
    counted = photons * np.exp(-ray) + photons * 0.004
    counted += np.sqrt(counted) * rng.standard_normal((rows, columns), dtype=np.float32)
    seen = -np.log(np.clip(counted, 1.0, None) / np.float32(photons * 1.004))
    display = 1 / (1 + np.exp(-(seen - top * 0.52) / (top * 0.17)))
    return np.asarray(0.02 + 0.95 * display, np.float32)
