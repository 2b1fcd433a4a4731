"""Where the slices of a series lie: stacks, steps, runs, gaps; pure arithmetic on positions.

A series may hold several stacks on purpose: blocks of other angles, time points or echoes at the
same places, passes of a variable-step scan. Each stack is judged by itself, so that none of these
looks like a defect.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from statistics import median, multimode

from accord.imagequality.model import Frame, Plane, Vector

LOCALIZER = "LOCALIZER"
SCOUT = "SCOUT"
MOSAIC = "MOSAIC"
AXES = ((Plane.SAGITTAL, 0, "x"), (Plane.CORONAL, 1, "y"), (Plane.AXIAL, 2, "z"))


class Layout(StrEnum):
    """What the slices of a series make up."""

    STACKS = "stacks"
    LOCALISER = "localiser"
    MOSAIC = "mosaic"
    TOO_FEW = "too_few"
    NO_POSITIONS = "no_positions"


@dataclass(frozen=True, slots=True)
class Gap:
    """A step that is too wide.

    Args:
        after: Index of the slice before it, in the order of positions.
        step_mm: Its width.
        expected_mm: The step of its neighbourhood.
        missing: How many slices would fit in.
    """

    after: int
    step_mm: float
    expected_mm: float
    missing: int


@dataclass(frozen=True)
class Stack:
    """Parallel slices, one at a place, by position along the normal.

    Args:
        frames: By position.
        positions: Along the normal, in mm, ascending.
        normal: Unit vector, row × column.
        key: What tells this stack from others at the same places.
    """

    frames: tuple[Frame, ...]
    positions: tuple[float, ...]
    normal: Vector
    key: Mapping[str, object] = field(default_factory=dict)

    @property
    def steps(self) -> tuple[float, ...]:
        """Distances between neighbours."""
        return tuple(b - a for a, b in pairwise(self.positions))

    @property
    def in_order(self) -> tuple[tuple[Frame, float], ...] | None:
        """Slices and positions by instance and frame number; none where a number is missing."""
        if any(frame.instance is None for frame in self.frames):
            return None
        pairs = zip(self.frames, self.positions, strict=True)
        return tuple(sorted(pairs, key=lambda pair: (pair[0].instance or 0, pair[0].number)))


@dataclass(frozen=True)
class Geometry:
    """The layout of a series with its stacks, and what does not fit in.

    Args:
        layout: What the slices make up.
        stacks: Stacks to be judged.
        strays: Slices of an orientation that nothing else of the series has.
        repeated: Slices at a place that is taken, with nothing to tell them apart.
        unplaced: Frames without position or orientation.
        is_grid: Whether the same places were taken several times on purpose.
    """

    layout: Layout
    stacks: tuple[Stack, ...] = ()
    strays: tuple[Frame, ...] = ()
    repeated: tuple[Frame, ...] = ()
    unplaced: tuple[Frame, ...] = ()
    is_grid: bool = False


@dataclass(frozen=True, slots=True)
class Tolerances:
    """The limits that geometry needs (limits.yaml)."""

    slices_least: int
    same_position_mm: float
    same_direction_cos: float
    stray_most: int
    step_tolerance: float
    run_least: int
    jump_share: float
    cover_least: float
    plane_cos_least: float


def cross(a: Vector, b: Vector) -> Vector:
    """Return the vector product."""
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


def dot(a: Vector, b: Vector) -> float:
    """Return the scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def arrange(frames: Sequence[Frame], limits: Tolerances) -> Geometry:
    """Return the stacks that the frames of one series make up."""
    if any(MOSAIC in frame.image_type for frame in frames):
        return Geometry(Layout.MOSAIC)
    placed = [one for one in frames if _is_placed(one)]
    unplaced = tuple(one for one in frames if not _is_placed(one))
    if not placed:
        return Geometry(Layout.NO_POSITIONS, unplaced=unplaced)
    if any({LOCALIZER, SCOUT} & set(one.image_type) for one in placed):
        return Geometry(Layout.LOCALISER, unplaced=unplaced)
    groups = _by_orientation(placed, limits)
    largest = max(len(group) for group in groups)
    if largest < limits.slices_least:
        layout = Layout.LOCALISER if len(groups) > 1 else Layout.TOO_FEW
        return Geometry(layout, unplaced=unplaced)
    stacks: list[Stack] = []
    strays: list[Frame] = []
    repeated: list[Frame] = []
    is_grid = False
    for group in groups:
        if len(group) <= limits.stray_most:
            strays += group
            continue
        found, again, grid = _stacks(group, limits)
        stacks += found
        repeated += again
        is_grid = is_grid or grid
    judged = tuple(one for one in stacks if len(one.frames) >= limits.slices_least)
    layout = Layout.STACKS if judged else Layout.TOO_FEW
    return Geometry(layout, judged, tuple(strays), tuple(repeated), unplaced, is_grid)


def normal_of(frame: Frame) -> Vector:
    """Return the unit normal of a placed frame."""
    normal = cross(frame.row or (0.0, 0.0, 0.0), frame.column or (0.0, 0.0, 0.0))
    length = dot(normal, normal) ** 0.5 or 1.0
    return (normal[0] / length, normal[1] / length, normal[2] / length)


def plane_of(normal: Vector, limits: Tolerances) -> Plane:
    """Return the plane whose axis the normal is nearest to; oblique where none is near."""
    plane, axis, _ = max(AXES, key=lambda one: abs(normal[one[1]]))
    return plane if abs(normal[axis]) >= limits.plane_cos_least else Plane.OBLIQUE


def direction_of(stack: Stack, limits: Tolerances) -> str | None:
    """Return along which patient axis instance numbers run, such as `-z`; none where unknown.

    The axes are the patient's: +x is the left, +y the back, +z the head.
    """
    plane = plane_of(stack.normal, limits)
    ordered = stack.in_order
    if plane is Plane.OBLIQUE or ordered is None:
        return None
    _, axis, letter = next(one for one in AXES if one[0] is plane)
    first, last = ordered[0][0].position, ordered[-1][0].position
    if first is None or last is None or first[axis] == last[axis]:
        return None
    return ("+" if last[axis] > first[axis] else "-") + letter


def gaps(positions: Sequence[float], factor: float, limits: Tolerances) -> tuple[Gap, ...]:
    """Return the steps wider than `factor` times the step of their neighbourhood.

    The neighbourhood of a step is the long run of equal steps it stands in or beside; without
    any long run, the median. So a scan of 4 mm then 7 mm is two blocks and no gap.
    """
    steps = [b - a for a, b in pairwise(positions)]
    if len(positions) < limits.slices_least:
        return ()
    runs = _runs(steps, limits.step_tolerance)
    is_long = [end - start >= limits.run_least for start, end in runs]
    usual = median(steps)
    found: list[Gap] = []
    for index, (start, end) in enumerate(runs):
        if is_long[index]:
            continue
        beside = [
            median(steps[slice(*runs[other])])
            for other in (_nearest(is_long, index, -1), _nearest(is_long, index, 1))
            if other is not None
        ]
        expected = max(beside, default=usual)
        found += [
            Gap(at, steps[at], expected, max(round(steps[at] / expected) - 1, 1))
            for at in range(start, end)
            if steps[at] > factor * expected
        ]
    return tuple(found)


def irregular(positions: Sequence[float], limits: Tolerances) -> tuple[int, ...]:
    """Return the indices of steps that are in no long run of equal steps.

    One step between two long runs of different steps is the seam of a variable-step scan, unless
    it is wider than both: blocks may meet closer than either step, but leave nothing out.
    """
    steps = [b - a for a, b in pairwise(positions)]
    runs = _runs(steps, limits.step_tolerance)
    if len(runs) == 1:
        return ()
    is_long = [end - start >= limits.run_least for start, end in runs]
    return tuple(
        at
        for index, (start, end) in enumerate(runs)
        if not is_long[index] and not _is_seam(steps, runs, is_long, index, limits)
        for at in range(start, end)
    )


def _is_seam(
    steps: Sequence[float],
    runs: Sequence[tuple[int, int]],
    is_long: Sequence[bool],
    index: int,
    limits: Tolerances,
) -> bool:
    start, end = runs[index]
    if end - start > 1 or index in {0, len(runs) - 1}:
        return False
    sides = [steps[runs[at][0]] for at in (index - 1, index + 1) if is_long[at]]
    if len(sides) < 2:  # noqa: PLR2004 - a seam has two sides
        return False
    differ = max(sides) - min(sides) > limits.step_tolerance * min(sides)
    return differ and steps[start] <= max(sides)


def out_of_order(positions: Sequence[float], limits: Tolerances) -> tuple[int, ...]:
    """Return where positions, in instance order, turn back against the way they run.

    A return over half of the range begins a new pass (interleaved storage) and is in order.
    """
    steps = [b - a for a, b in pairwise(positions)]
    moving = [step for step in steps if abs(step) > limits.same_position_mm]
    if not moving:
        return ()
    extent = max(positions) - min(positions)
    forward = sum(1 if step > 0 else -1 for step in moving) >= 0
    return tuple(
        at
        for at, step in enumerate(steps)
        if abs(step) > limits.same_position_mm
        and (step > 0) != forward
        and abs(step) < limits.jump_share * extent
    )


def displaced(stack: Stack, least_mm: float) -> tuple[tuple[Frame, float], ...]:
    """Return slices whose corner leaves the straight line of the stack, with the distance in mm.

    The line may be inclined (gantry tilt); its slope is the median of the single steps, so that
    one slice that jumps cannot bend it.
    """
    far: dict[int, float] = {}
    widths = [max(frame.spacing) for frame in stack.frames if frame.spacing]
    limit = max(least_mm, median(widths) if widths else 0.0)
    for direction in ("row", "column"):
        along = [
            dot(frame.position or (0.0, 0.0, 0.0), getattr(stack.frames[0], direction))
            for frame in stack.frames
        ]
        slopes = [
            (b - a) / step
            for a, b, step in zip(along, along[1:], stack.steps, strict=False)
            if step > 0
        ]
        slope = median(slopes) if slopes else 0.0
        bases = [value - slope * at for value, at in zip(along, stack.positions, strict=True)]
        base = median(bases)
        for index, one in enumerate(bases):
            if abs(one - base) > limit:
                far[index] = max(far.get(index, 0.0), abs(one - base))
    return tuple((stack.frames[index], distance) for index, distance in sorted(far.items()))


# ------------------------------------------------------------------ making stacks
def _is_placed(frame: Frame) -> bool:
    return None not in (frame.position, frame.row, frame.column)


def _by_orientation(frames: Iterable[Frame], limits: Tolerances) -> list[list[Frame]]:
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            if _same_orientation(group[0], frame, limits.same_direction_cos):
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def _same_orientation(one: Frame, other: Frame, least: float) -> bool:
    if None in (one.row, one.column, other.row, other.column):
        return False
    zero = (0.0, 0.0, 0.0)
    return (
        dot(one.row or zero, other.row or zero) >= least
        and dot(one.column or zero, other.column or zero) >= least
    )


def _stacks(group: list[Frame], limits: Tolerances) -> tuple[list[Stack], list[Frame], bool]:
    """Return the stacks of one orientation, slices that are there twice, and whether a grid."""
    normal = normal_of(group[0])
    places = _places(group, normal, limits.same_position_mm)
    most = max(len(place) for place in places)
    if most == 1:
        return _without_passes(places, normal, limits), [], False
    names = _telling(places, most, limits)
    parts: dict[tuple[str, ...], list[list[tuple[float, Frame]]]] = defaultdict(list)
    for place in places:
        inside: dict[tuple[str, ...], list[tuple[float, Frame]]] = defaultdict(list)
        for at, frame in place:
            inside[tuple(str(_dimension(frame, name)) for name in names)].append((at, frame))
        for key, members in inside.items():
            parts[key].append(members)
    stacks: list[Stack] = []
    repeated: list[Frame] = []
    for key, part in parts.items():
        told = dict(zip(names, key, strict=True))
        found, again = _layers(part, normal, told)
        stacks += found
        repeated += again
    return stacks, repeated, True


def _layers(
    places: list[list[tuple[float, Frame]]], normal: Vector, key: Mapping[str, object]
) -> tuple[list[Stack], list[Frame]]:
    """Return one stack for each time the places were usually taken; more is there twice."""
    usual = min(multimode(len(place) for place in places))
    repeated: list[Frame] = []
    layers: list[list[tuple[float, Frame]]] = [[] for _ in range(usual)]
    for place in places:
        ranked = sorted(place, key=lambda one: (one[1].instance or 0, one[1].number))
        for rank, one in enumerate(ranked[:usual]):
            layers[rank].append(one)
        repeated += [frame for _, frame in ranked[usual:]]
    if usual > 1 and not _differ_in_anything(places):
        repeated += [frame for layer in layers[1:] for _, frame in layer]
        layers = layers[:1]
    return [_stack(layer, normal, key) for layer in layers], repeated


def _differ_in_anything(places: list[list[tuple[float, Frame]]]) -> bool:
    """Say whether frames of one place differ in a dimension, their object, or their moment."""
    for place in places:
        told = {
            (frame.sop_uid if frame.in_volume else "", frame.acquired_at, *_dimensions(frame))
            for _, frame in place
        }
        if len(told) == 1 and len(place) > 1:
            return False
    return True


def _dimensions(frame: Frame) -> tuple[tuple[str, str], ...]:
    told = {"acquisition": frame.acquisition, "type": frame.image_type, **frame.dimensions}
    return tuple((name, str(value)) for name, value in sorted(told.items()))


def _dimension(frame: Frame, name: str) -> object:
    return _ATTRIBUTES[name](frame) if name in _ATTRIBUTES else frame.dimensions.get(name)


_ATTRIBUTES: Mapping[str, Callable[[Frame], object]] = {
    "object": lambda frame: frame.sop_uid if frame.in_volume else "",
    "acquisition": lambda frame: frame.acquisition,
    "type": lambda frame: frame.image_type,
    "moment": lambda frame: frame.acquired_at,
}


def _telling(
    places: list[list[tuple[float, Frame]]], most: int, limits: Tolerances
) -> tuple[str, ...]:
    """Return the names whose values tell apart what was taken several times at a place."""
    frames = [frame for place in places for _, frame in place]
    names = [*_ATTRIBUTES, *sorted({name for frame in frames for name in frame.dimensions})]
    telling = []
    for name in names:
        met: Counter[str] = Counter()
        for place in places:
            met.update({str(_dimension(frame, name)) for _, frame in place})
        if 1 < len(met) <= most and min(met.values()) >= limits.cover_least * len(places):
            telling.append(name)
    return tuple(telling)


def _without_passes(
    places: list[list[tuple[float, Frame]]], normal: Vector, limits: Tolerances
) -> list[Stack]:
    """Return one stack, or one for each acquisition where these overlap and each is regular."""
    whole = [place[0] for place in places]
    by_number: dict[int | None, list[tuple[float, Frame]]] = defaultdict(list)
    for one in whole:
        by_number[one[1].acquisition].append(one)
    parts = [_stack(part, normal, {}) for part in by_number.values()]
    spans = sorted((part.positions[0], part.positions[-1]) for part in parts)
    overlap = any(b[0] < a[1] for a, b in pairwise(spans))
    regular = all(
        len(part.frames) >= limits.slices_least and not irregular(part.positions, limits)
        for part in parts
    )
    if len(parts) > 1 and overlap and regular:
        return parts
    return [_stack(whole, normal, {})]


def _stack(
    members: Sequence[tuple[float, Frame]], normal: Vector, key: Mapping[str, object]
) -> Stack:
    ordered = sorted(members, key=lambda one: one[0])
    return Stack(tuple(frame for _, frame in ordered), tuple(at for at, _ in ordered), normal, key)


def _places(
    frames: Iterable[Frame], normal: Vector, tolerance_mm: float
) -> list[list[tuple[float, Frame]]]:
    """Return the frames by place along the normal, places ascending."""
    zero = (0.0, 0.0, 0.0)
    along = sorted(
        ((dot(frame.position or zero, normal), frame) for frame in frames), key=lambda one: one[0]
    )
    places: list[list[tuple[float, Frame]]] = []
    for one in along:
        if places and one[0] - places[-1][0][0] <= tolerance_mm:
            places[-1].append(one)
        else:
            places.append([one])
    return places


def _runs(steps: Sequence[float], tolerance: float) -> list[tuple[int, int]]:
    """Return the runs of steps that agree with their first within the tolerance."""
    runs: list[tuple[int, int]] = []
    start = 0
    for at in range(1, len(steps) + 1):
        if at == len(steps) or abs(steps[at] - steps[start]) > tolerance * steps[start]:
            runs.append((start, at))
            start = at
    return runs


def _nearest(is_long: Sequence[bool], index: int, way: int) -> int | None:
    at = index + way
    while 0 <= at < len(is_long):
        if is_long[at]:
            return at
        at += way
    return None
