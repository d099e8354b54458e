"""What pydicom makes of each of its own test files, as digests: writes expected.json beside this file.

    python -m venv v && v/bin/pip install -r requirements.txt
    v/bin/python expected.py WHEEL_FOLDER

WHEEL_FOLDER is the unpacked wheel of pydicom whose digest `tests/run.sh` names. Every file that the wheel holds
is looked at; nothing is fetched.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import numpy
import pydicom
from pydicom.pixels import apply_color_lut, apply_rescale, apply_windowing

# Values compared one by one where a lossy code leaves the decoder's rounding open.
SPOTS = 512
# Codes whose decoder may round as it likes, within what their standard allows.
ROUNDED = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.91"}
# Files of the folder that are about DICOM and are not it.
OTHER = {".txt", ".json", ".dump", ".icc", ".gz"}


def digest(values):
    """Of the values as 64-bit integers, little-endian, in rows from the top, samples of a pixel together."""
    return hashlib.sha256(numpy.ascontiguousarray(values, dtype="<i8").tobytes()).hexdigest()


def spots(values):
    flat = numpy.ascontiguousarray(values).reshape(-1)
    places = [i * flat.size // SPOTS for i in range(min(SPOTS, flat.size))]
    return [int(flat[place]) for place in places]


def frames_of(dataset):
    """Every frame, colours as RGB."""
    if "NumberOfFrames" in dataset and not dataset.NumberOfFrames:
        # Empty in one file, which says nothing else.
        del dataset.NumberOfFrames
    values = dataset.pixel_array
    return list(values) if int(dataset.get("NumberOfFrames", 1)) > 1 else [values]


def shown(stored, dataset):
    """What the file's window makes of it, from 0 to 1."""
    values = apply_windowing(apply_rescale(stored, dataset), dataset).astype("f8")
    bits = dataset.BitsStored
    ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if dataset.PixelRepresentation else (0, 2**bits - 1)
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    low, high = (end * slope + intercept for end in ends)
    return (values - low) / (high - low)


def described(path):
    dataset = pydicom.dcmread(path, force=True)
    if not any(key in dataset for key in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        return {"outcome": "no pixel data"}
    if not dataset.file_meta.get("TransferSyntaxUID"):
        return {"outcome": "refused", "why": "no transfer syntax"}
    found = {"syntax": str(dataset.file_meta.TransferSyntaxUID), "photometric": str(dataset.get("PhotometricInterpretation"))}
    try:
        frames = frames_of(dataset)
    except Exception as error:
        return {"outcome": "refused", "why": type(error).__name__, **found}
    found |= {"outcome": "decoded", "shape": list(frames[0].shape[:2]), "frames": [digest(frame) for frame in frames]}
    if found["syntax"] in ROUNDED:
        found["spots"] = [spots(frame) for frame in frames]
    if found["photometric"] == "PALETTE COLOR":
        found["palette"] = digest(apply_color_lut(frames[0], dataset))
    if frames[0].ndim == 2 and found["photometric"].startswith("MONOCHROME"):
        modality = apply_rescale(frames[0], dataset).astype("f8")
        found["modality_mean"] = float(modality.mean())
        if "WindowCenter" in dataset:
            found["voi_mean"] = float(shown(frames[0], dataset).mean())
    return found


def main(folder):
    warnings.simplefilter("ignore")
    root = Path(folder) / "pydicom" / "data" / "test_files"
    files = sorted(p for p in root.rglob("*") if p.is_file() and p.suffix not in OTHER and p.name != "README")
    table = {}
    for path in files:
        try:
            table[str(path.relative_to(root))] = described(path)
        except Exception as error:
            table[str(path.relative_to(root))] = {"outcome": "refused", "why": type(error).__name__}
    text = {"pydicom": pydicom.__version__, "files": table}
    (Path(__file__).parent / "expected.json").write_text(json.dumps(text, indent=1, sort_keys=True) + "\n")


main(sys.argv[1])
