"""What the probes of three inputs come out as, worked out by another program: standard library alone.

Run `python3 oracle.py > expected.txt`. Numbers of 32 bits are rounded by `struct`; those of 64 are Python's own.
"""

import hashlib
import math
import struct

STORED = 4095


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def half_away(value):
    """The nearest whole number, halves away from zero."""
    whole = math.floor(abs(value))
    whole += 1 if abs(value) - whole >= 0.5 else 0
    return int(math.copysign(whole, value))


class Input:
    def __init__(self, height, width, channels, scaling, resize, frame, mean, deviation, layout):
        self.height, self.width, self.channels = height, width, channels
        self.scaling, self.resize, self.frame = scaling, resize, frame
        self.mean, self.deviation, self.layout = mean, deviation, layout


def levels(scaling):
    """Black, white, slope, intercept, span."""
    if scaling[0] == "unit":
        return 0, STORED, 2.0, -7.0, 1.0
    if scaling[0] == "modality":
        return -2048, 2047, 2.0, -24.0, 8190.0
    if scaling[0] == "voi":
        return 664, 1464, 1.0, -1024.0, 1.0
    _, low, high = scaling
    half, power = (high - low) / 2, 0
    while half / float(f"1e{power}") >= 1000:
        power += 1
    while half / float(f"1e{power}") < 100:
        power -= 1
    slope = float(f"1e{power}")
    reach = half_away(half / slope * 1.5) + 1
    middle = half_away((low + high) / 2 / slope)
    return -reach, reach, slope, float(f"{middle}e{power}"), 1.0


def window(value, low, high):
    return min(max((value - low) / (high - low), 0.0), 1.0)


def standard(value, given):
    return f32((value - given.mean) / given.deviation)


def grey(stored, given, white_is_low):
    _, _, slope, intercept, _ = levels(given.scaling)
    kind = given.scaling[0]
    least, most = (0, STORED) if kind == "unit" else (-2048, 2047)
    mirrored = least + most - stored if white_is_low else stored
    if kind == "unit":
        return standard(f32(float(mirrored) / float(most)), given)
    if kind == "modality":
        return standard(f32(mirrored * slope + intercept), given)
    low, high = (-160.0, 239.0) if kind == "voi" else given.scaling[1:]
    shown = window(stored * slope + intercept, low, high)
    return standard(f32(1.0 - shown if white_is_low else shown), given)


def picture(byte, given):
    kind = given.scaling[0]
    if kind in ("unit", "voi"):
        return standard(f32(byte / 255.0), given)
    if kind == "modality":
        return standard(float(byte), given)
    return standard(f32(window(float(byte), *given.scaling[1:])), given)


def taps(source, target):
    scale, last = source / target, source - 1
    for pixel in range(target):
        place = min(max((pixel + 0.5) * scale - 0.5, 0.0), float(last))
        low = min(math.floor(place), last)
        yield low, min(low + 1, last), f32(place - low)


def mixed(low, high, share):
    return f32(low + f32(f32(high - low) * share))


def bilinear(plane, height, width):
    rows, columns = list(taps(len(plane), height)), list(taps(len(plane[0]), width))

    def at(row, column):
        across = [mixed(plane[line][column[0]], plane[line][column[1]], column[2]) for line in row[:2]]
        return mixed(across[0], across[1], row[2])

    return [[at(row, column) for column in columns] for row in rows]


def letterbox(plane, height, width):
    source_height, source_width = len(plane), len(plane[0])

    def scaled(side, by, of):
        return max((2 * side * by + of) // (2 * of), 1)

    if width * source_height <= height * source_width:
        inner = (min(scaled(source_height, width, source_width), height), width)
    else:
        inner = (height, min(scaled(source_width, height, source_height), width))
    fitted = bilinear(plane, *inner)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    whole = [[0.0] * width for _ in range(height)]
    for row in range(inner[0]):
        for column in range(inner[1]):
            whole[top + row][left + column] = fitted[row][column]
    return whole


def tensor(planes, given):
    """Values in the order of the axes, or the reason why there is none."""
    size = len(planes[0]), len(planes[0][0])
    if size != (given.height, given.width):
        if given.resize == "refuse":
            return "wrong_size"
        fit = bilinear if given.resize == "bilinear" else letterbox
        planes = [fit(plane, given.height, given.width) for plane in planes]
    planes = planes * given.channels if len(planes) == 1 else planes
    if given.layout == "nchw":
        return [value for plane in planes for row in plane for value in row]
    pixels = [(row, column) for row in range(given.height) for column in range(given.width)]
    return [plane[row][column] for row, column in pixels for plane in planes]


def ramp(height, width, first, last):
    steps = height * width - 1
    flat = [first + pixel * (last - first) // steps for pixel in range(height * width)]
    return [flat[row * width : (row + 1) * width] for row in range(height)]


def drawn(height, width, is_white, black, white):
    return [[white if is_white(row, column) else black for column in range(width)] for row in range(height)]


def outcome(name, given):
    height, width = given.height, given.width
    black, white, *_ = levels(given.scaling)

    def of_grey(image, white_is_low=False):
        return tensor([[[grey(value, given, white_is_low) for value in row] for row in image]], given)

    def of_bytes(images):
        return tensor([[[picture(value, given) for value in row] for row in image] for image in images], given)

    def all_of(value):
        return drawn(height, width, lambda row, column: True, 0, value)

    if name == "scaling_black":
        return of_grey(all_of(black))
    if name == "scaling_white":
        return of_grey(all_of(white))
    if name == "frame":
        if given.frame == "only":
            return "unsupported"
        return of_grey(all_of([black, white, black][1 if given.frame == "middle" else given.frame - 1]))
    if name == "polarity":
        return of_grey(all_of(black), white_is_low=True)
    if name == "orientation":
        high, wide = max(height // 4, 1), max(width * 2 // 3, 1)
        return of_grey(drawn(height, width, lambda row, column: row < high and column < wide, black, white))
    if name == "windowing":
        return of_grey(ramp(height, width, black, white))
    if name == "resize":
        stripes = lambda row, column: (column % 2 == 0) != (row % 3 == 0)
        return of_grey(drawn(height * 3 // 2 + 1, width * 4 // 2 + 1, stripes, black, white))
    if name == "colour":
        return of_bytes([all_of(value) for value in (255, 0, 128)]) if given.channels == 3 else "unsupported"
    return of_bytes([ramp(height, width, 0, 255)])


NAMES = "scaling_black scaling_white frame polarity orientation windowing resize colour picture".split()


def digest(name, given):
    found = outcome(name, given)
    text = f"fedval.probes/1\n{name}\n".encode()
    if isinstance(found, str):
        return hashlib.sha256(text + f"refused {found}\n".encode()).hexdigest()
    step = abs(levels(given.scaling)[4] / given.deviation) / 1_000_000.0
    values = b"".join(struct.pack("<q", half_away(value / step)) for value in found)
    return hashlib.sha256(text + f"values {len(found)}\n".encode() + values).hexdigest()


INPUTS = {
    "lung": Input(12, 10, 1, ("window", -1350.0, 150.0), "bilinear", "only", 0.5, 0.25, "nchw"),
    "colour": Input(9, 14, 3, ("unit",), "letterbox", "middle", 0.45, 0.225, "nhwc"),
    "raw": Input(8, 8, 1, ("modality",), "refuse", 3, 100.0, 50.0, "nchw"),
    "shown": Input(11, 7, 3, ("voi",), "bilinear", "only", 0.0, 1.0, "nchw"),
}

if __name__ == "__main__":
    for title, given in INPUTS.items():
        for name in NAMES:
            print(title, name, digest(name, given))
