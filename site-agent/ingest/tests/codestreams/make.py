"""Writes the codestreams beside this file, each of them lossless: python make.py, with imagecodecs 2026.3.6.

grey: 12 rows, 16 columns, (251 x + 97 y) mod 4096. signed: the same less 2048. colour: (16 x, 20 y, 8 (x + y)).
"""

from pathlib import Path

import imagecodecs
import numpy

y, x = numpy.mgrid[0:12, 0:16]
grey = ((251 * x + 97 * y) % 4096).astype("u2")
signed = (grey.astype("i4") - 2048).astype("i2")
colour = numpy.stack([16 * x, 20 * y, 8 * (x + y)], axis=-1).astype("u1")
streams = {
    "grey.htj2k": imagecodecs.htj2k_encode(grey),
    "signed.htj2k": imagecodecs.htj2k_encode(signed),
    "colour.htj2k": imagecodecs.htj2k_encode(colour),
    "grey.j2k": imagecodecs.jpeg2k_encode(grey, level=0, codecformat="j2k", bitspersample=16, reversible=True),
    "signed.j2k": imagecodecs.jpeg2k_encode(signed, level=0, codecformat="j2k", reversible=True),
    "colour.j2k": imagecodecs.jpeg2k_encode(colour, level=0, codecformat="j2k", reversible=True, mct=True),
    "grey.jls": imagecodecs.jpegls_encode(grey),
    "colour.jls": imagecodecs.jpegls_encode(colour),
    "grey.ljpeg": imagecodecs.ljpeg_encode(grey, bitspersample=16),
}
for name, stream in streams.items():
    (Path(__file__).parent / name).write_bytes(stream)
