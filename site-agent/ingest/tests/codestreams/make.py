"""Writes the codestreams beside this file: python make.py, with imagecodecs 2026.3.6, pylibjpeg-libjpeg 2.5.0 and
pylibjpeg-openjpeg 2.6.0.

grey: 12 rows, 16 columns, (251 x + 97 y) mod 4096. signed: the same less 2048. colour: (16 x, 20 y, 8 (x + y)).
smooth: 12 x + 3 y, of 8 bits. bits: whether x + y is a multiple of 3, of one.

Where a second decoder reads a code, it is asked whether the stream holds what was put in. What it makes of a lossy one is
in decoded.json.
"""

import io
import json
import zlib
from pathlib import Path

import imagecodecs
import libjpeg
import numpy
import openjpeg

FOLDER = Path(__file__).parent

y, x = numpy.mgrid[0:12, 0:16]
grey = ((251 * x + 97 * y) % 4096).astype("u2")
signed = (grey.astype("i4") - 2048).astype("i2")
colour = numpy.stack([16 * x, 20 * y, 8 * (x + y)], axis=-1).astype("u1")
smooth = (12 * x + 3 * y).astype("u1")
bits = ((x + y) % 3 == 0).astype("u1")


def predicted(values, selection, depth):
    """JPEG with prediction by libjpeg-turbo, of any selection value."""
    stream = bytes(imagecodecs.jpeg8_encode(values, lossless=True, predictor=selection, bitspersample=depth))
    assert (libjpeg.decode(stream) == values).all()
    return stream


def extended(values):
    """A sequential stream whose frame says the extended process, as it may with 8 bits, too."""
    stream = bytes(imagecodecs.jpeg8_encode(values, level=90))
    frame = stream.index(b"\xff\xc0")
    return stream[:frame] + b"\xff\xc1" + stream[frame + 2 :]


def deflated(frame):
    """Raw, as RFC 1951 has it, with a byte that makes an odd length even."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = packer.compress(frame) + packer.flush()
    return stream + bytes(len(stream) % 2)


streams = {
    "grey.htj2k": imagecodecs.htj2k_encode(grey),
    "signed.htj2k": imagecodecs.htj2k_encode(signed),
    "colour.htj2k": imagecodecs.htj2k_encode(colour),
    # By resolution, each a part of the tile with its length in front: what a server sends pieces of.
    "rpcl.htj2k": imagecodecs.htj2k_encode(grey, tlm=True, tilepart=imagecodecs.HTJ2K.TILEPART.RESOLUTIONS),
    "lossy.htj2k": imagecodecs.htj2k_encode(smooth, level=0.003, reversible=False),
    "grey.j2k": imagecodecs.jpeg2k_encode(grey, level=0, codecformat="j2k", bitspersample=16, reversible=True),
    "signed.j2k": imagecodecs.jpeg2k_encode(signed, level=0, codecformat="j2k", reversible=True),
    "colour.j2k": imagecodecs.jpeg2k_encode(colour, level=0, codecformat="j2k", reversible=True, mct=True),
    "grey.jls": imagecodecs.jpegls_encode(grey),
    "colour.jls": imagecodecs.jpegls_encode(colour),
    "grey.ljpeg": imagecodecs.ljpeg_encode(grey, bitspersample=16),
    "extended8.jpg": extended(smooth),
    "extended12.jpg": imagecodecs.jpeg8_encode(grey, level=95, bitspersample=12),
    "colour.ljpeg": predicted(colour, 5, 8),
    "grey.deflated": deflated(grey.astype("<u2").tobytes()),
    "bits.deflated": deflated(numpy.packbits(bits, bitorder="little").tobytes()),
}
streams |= {f"grey-{selection}.ljpeg": predicted(grey, selection, 16) for selection in range(1, 8)}
for name in ["grey.htj2k", "signed.htj2k", "colour.htj2k", "rpcl.htj2k", "grey.j2k", "signed.j2k", "colour.j2k"]:
    meant = {"grey": grey, "signed": signed, "colour": colour, "rpcl": grey}[name.split(".")[0]]
    assert (openjpeg.decode(io.BytesIO(bytes(streams[name]))) == meant).all(), name
for name, stream in streams.items():
    (FOLDER / name).write_bytes(stream)
decoded = {
    "extended8.jpg": libjpeg.decode(streams["extended8.jpg"]),
    "lossy.htj2k": openjpeg.decode(io.BytesIO(bytes(streams["lossy.htj2k"]))),
}
for name, values in decoded.items():
    assert not (values == smooth).all(), f"{name} has lost nothing"
text = json.dumps({name: values.ravel().tolist() for name, values in decoded.items()})
(FOLDER / "decoded.json").write_text(text + "\n")
