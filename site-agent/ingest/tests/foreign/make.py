"""Writes the files beside this one, by programs that are not ours, and what they mean: python make.py, with

    pip install pydicom==3.0.2 numpy==2.4.6 highdicom==0.28.2 rt-utils==1.2.7 opencv-python==5.0.0.93

slice-0.dcm to slice-2.dcm are a series (pydicom); segments.dcm are two structures drawn in it (highdicom), and
segments-deflated.dcm the same with each frame deflated by itself (zlib, put together by pydicom); contours.dcm is one of
them as rt-utils draws it; regions-flat.dcm and regions-deep.dcm are reports of TID 1500 (highdicom), with regions of an
image and of the patient. truth.json says what is in them. Every UID and every time is fixed: another run writes the same.
"""

import io
import json
import shutil
import tempfile
import zlib
from datetime import datetime
from pathlib import Path

import cv2
import highdicom
import numpy
import pydicom
import rt_utils
from highdicom import sr
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

FOLDER = Path(__file__).parent
# Of nobody: the root that anybody may use for a UUID, and small numbers.
ROOT = "2.25.7412"
NOW = datetime(2026, 3, 1, 12, 0, 0)
SIDE, SPACING, STEP = 16, 1.5, 2.5
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
ORIGIN = [-31.5, 12.0, 40.0]


def uid(number):
    return f"{ROOT}.{number}"


def slice_of(index):
    """A slice; the first lies at the feet and has the highest number."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = uid(100 + index)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = Dataset()
    image.file_meta = meta
    image.SpecificCharacterSet = "ISO_IR 100"
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, uid(100 + index)
    image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = uid(1), uid(2), uid(3)
    image.StudyDate = image.SeriesDate = image.ContentDate = NOW.strftime("%Y%m%d")
    image.StudyTime = image.SeriesTime = image.ContentTime = NOW.strftime("%H%M%S")
    image.Modality, image.Manufacturer, image.StudyID = "CT", "nobody", "1"
    image.PatientName, image.PatientID = "Phantom^Square", "phantom"
    image.PatientBirthDate = image.PatientSex = image.AccessionNumber = image.ReferringPhysicianName = ""
    image.PositionReferenceIndicator = ""
    image.SeriesNumber, image.InstanceNumber = 1, 3 - index
    image.ImagePositionPatient = [*ORIGIN[:2], ORIGIN[2] + STEP * index]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.PixelSpacing, image.SliceThickness = [SPACING, SPACING], STEP
    image.Rows = image.Columns = SIDE
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.RescaleSlope, image.RescaleIntercept = 1, -1024
    y, x = numpy.mgrid[0:SIDE, 0:SIDE]
    image.PixelData = (1000 + 10 * y + x + 100 * index).astype("<u2").tobytes()
    return image


def structures():
    """Slices, rows, columns: one structure with a hole and in two slices, and another beside it in the last two."""
    organ = numpy.zeros((3, SIDE, SIDE), dtype=bool)
    organ[0, 3:9, 4:8] = True
    organ[1, 2:12, 4:13] = True
    organ[1, 5:8, 7:10] = False
    lesion = numpy.zeros_like(organ)
    lesion[1, 13:15, 2:6] = True
    lesion[2, 12:15, 1:7] = True
    lesion[2, 12, 1] = False
    return {"1": organ, "2": lesion}


def settled(dataset, number):
    """Fixed where a library puts in what is new each time."""
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid(number)
    for element in dataset.iterall():
        if element.VR == "DA" and element.value:
            element.value = NOW.strftime("%Y%m%d")
        elif element.VR == "TM" and element.value:
            element.value = NOW.strftime("%H%M%S")
        elif element.VR == "DT" and element.value:
            element.value = NOW.strftime("%Y%m%d%H%M%S")
    return dataset


def segmentation(series, masks):
    def described(number, label):
        return highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=label,
            segmented_property_category=codes.SCT.AnatomicalStructure,
            segmented_property_type=codes.SCT.Liver if number == 1 else codes.SCT.Lesion,
            algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        )

    made = highdicom.seg.Segmentation(
        source_images=series,
        pixel_array=numpy.stack([masks["1"], masks["2"]], axis=-1).astype("u1"),
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[described(1, "organ"), described(2, "lesion")],
        series_instance_uid=uid(4),
        series_number=2,
        sop_instance_uid=uid(200),
        instance_number=1,
        manufacturer="nobody",
        manufacturer_model_name="none",
        software_versions="1",
        device_serial_number="1",
    )
    for number, dimension in enumerate(made.DimensionOrganizationSequence):
        known = dimension.DimensionOrganizationUID
        for index in made.DimensionIndexSequence:
            if index.DimensionOrganizationUID == known:
                index.DimensionOrganizationUID = uid(210 + number)
        dimension.DimensionOrganizationUID = uid(210 + number)
    return settled(made, 200)


def deflated(made):
    """The same, each frame by itself: its bits from the lowest of a byte on, as RFC 1951 packs them."""
    bits = numpy.unpackbits(numpy.frombuffer(made.PixelData, "u1"), bitorder="little")
    frames = bits[: int(made.NumberOfFrames) * SIDE * SIDE].reshape(-1, SIDE * SIDE)

    def packed(frame):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(numpy.packbits(frame, bitorder="little").tobytes()) + packer.flush()

    copy = pydicom.dcmread(io.BytesIO(written(made)))
    copy.PixelData = encapsulate([packed(frame) for frame in frames])
    copy["PixelData"].VR, copy["PixelData"].is_undefined_length = "OB", True
    copy.file_meta.TransferSyntaxUID = DEFLATED_FRAMES
    return settled(copy, 201)


def contours(mask):
    """One structure as rt-utils draws it: through the middles of its outermost pixels."""
    with tempfile.TemporaryDirectory() as folder:
        for index in range(3):
            shutil.copy(FOLDER / f"slice-{index}.dcm", folder)
        made = rt_utils.RTStructBuilder.create_new(dicom_series_path=folder)
    made.add_roi(mask=numpy.moveaxis(mask, 0, -1), name="Organ (foreign)", color=[255, 0, 0])
    dataset = settled(made.ds, 300)
    dataset.SeriesInstanceUID = uid(5)
    return dataset


def drawn(structure_set):
    """The pixels inside the contours, by OpenCV, of an odd number of them. A middle on an edge belongs to the contour that
    begins there, on the left or above."""
    inside = numpy.zeros((3, SIDE, SIDE), dtype=bool)
    for contour in structure_set.ROIContourSequence[0].ContourSequence:
        corners = numpy.array(contour.ContourData, dtype=float).reshape(-1, 3)
        at = (corners - ORIGIN) / [SPACING, SPACING, STEP]
        index = round(at[0, 2])
        line = at[:, :2].astype("f4")
        for row in range(SIDE):
            for column in range(SIDE):
                inside[index, row, column] ^= cv2.pointPolygonTest(line, (column + 1e-2, row + 1e-4), False) > 0
    return inside


def report(number, regions, evidence):
    """A report of TID 1500 with a group for each region: its probability, and a size that is none."""
    groups = [
        sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=sr.TrackingIdentifier(uid=uid(number + 10 + place), identifier=f"finding {place}"),
            referenced_region=region,
            finding_type=codes.SCT.Nodule,
            measurements=[
                sr.Measurement(name=codes.SCT.Diameter, value=7.5, unit=codes.UCUM.Millimeter),
                sr.Measurement(
                    name=sr.CodedConcept("111047", "DCM", "Probability of cancer"), value=value, unit=unit
                ),
            ],
        )
        for place, (region, value, unit) in enumerate(regions)
    ]
    observer = sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(uid=uid(6)),
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=groups,
    )
    made = sr.Comprehensive3DSR(
        evidence=evidence,
        content=content,
        series_instance_uid=uid(7),
        series_number=3,
        sop_instance_uid=uid(number),
        instance_number=1,
        manufacturer="nobody",
    )
    return settled(made, number)


def flat_regions(image):
    source = sr.SourceImageForRegion.from_source_image(image)

    def region(kind, points):
        return sr.ImageRegion(graphic_type=kind, graphic_data=numpy.array(points), source_image=source)

    kinds = sr.GraphicTypeValues
    return [
        (region(kinds.POLYLINE, [[2.0, 3.0], [9.5, 3.0], [9.5, 6.0], [2.0, 6.0], [2.0, 3.0]]), 0.25, codes.UCUM.NoUnits),
        (region(kinds.CIRCLE, [[10.0, 11.0], [12.0, 11.0]]), 87.5, codes.UCUM.Percent),
        (region(kinds.ELLIPSE, [[1.0, 12.0], [7.0, 12.0], [4.0, 10.5], [4.0, 13.5]]), 0.5, codes.UCUM.NoUnits),
    ]


def deep_regions():
    def region(kind, points):
        return sr.ImageRegion3D(
            graphic_type=kind, graphic_data=numpy.array(points), frame_of_reference_uid=uid(3)
        )

    kinds = sr.GraphicTypeValues3D
    left, back, head = -20.0, 24.0, 42.5
    ellipse = [[left - 4, back, head], [left + 4, back, head], [left, back - 3, head], [left, back + 3, head]]
    return [
        (region(kinds.ELLIPSE, ellipse), 0.75, codes.UCUM.NoUnits),
        (region(kinds.POLYGON, [[0.0, 0.0, 40.0], [6.0, 0.0, 40.0], [6.0, 8.0, 40.0], [0.0, 0.0, 40.0]]), 12.5, codes.UCUM.Percent),
    ]


def written(dataset):
    file = io.BytesIO()
    # pydicom has no name for frames that are deflated; they stand in a data set like any other's.
    if dataset.file_meta.TransferSyntaxUID == DEFLATED_FRAMES:
        pydicom.dcmwrite(file, dataset, implicit_vr=False, little_endian=True, force_encoding=True)
    else:
        pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def pixels(mask):
    """Of each slice, its rows as text."""
    return [["".join(".#"[int(is_in)] for is_in in row) for row in of] for of in mask]


series = [slice_of(index) for index in range(3)]
for index, image in enumerate(series):
    (FOLDER / f"slice-{index}.dcm").write_bytes(written(image))
masks = structures()
segments = segmentation(series, masks)
structure_set = contours(masks["1"])
for name, dataset in {
    "segments.dcm": segments,
    "segments-deflated.dcm": deflated(segments),
    "contours.dcm": structure_set,
    "regions-flat.dcm": report(400, flat_regions(series[1]), [series[1]]),
    "regions-deep.dcm": report(401, deep_regions(), series),
}.items():
    (FOLDER / name).write_bytes(written(dataset))
truth = {
    "segments": {number: pixels(mask) for number, mask in masks.items()},
    "contours": pixels(drawn(structure_set)),
    # Left, upper, right and lower edge, and score.
    "flat": [[2, 3, 9.5, 6, 0.25], [8, 9, 12, 13, 0.875], [1, 10.5, 7, 13.5, 0.5]],
    # Middle, radius and score.
    "deep": [[-20, 24, 42.5, 4, 0.75], [3, 4, 40, 5, 0.125]],
}
(FOLDER / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
