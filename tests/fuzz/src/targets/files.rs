//! What a site's files may hold: images, and the manifest that lists them.

use std::fs;

use fedval_ingest::decode::stored_frame;
use fedval_ingest::findings::Side;
use fedval_ingest::manifest::rows_of_replies;
use fedval_ingest::{
    Attributes, Case, Cohort, ColumnMapping, ConceptCode, DecodeRequest, FindingsSource, IndexTest,
    IndexTestColumn, ManifestSource, MaskComparison, MaskRequest, ReportRequest, ScanStatus,
    compare_masks, decode_image, decode_series, read_findings, read_manifest, read_report,
};
use fedval_study::protocol::{
    AxisOrder, Border, Class, FrameChoice, GantryTilt, Labels, Layout, Matching, ModelInput,
    Monochrome1, OutputForm, Quantity, ReferenceStandard, Resize, Structure, Task, ValueScaling,
    VolumeInput,
};

use crate::draw::Draw;
use crate::{Target, finite};

/// Ends of the transfer syntaxes that are read, and of one that is not.
const SYNTAXES: [&str; 19] = [
    "", ".1", ".1.98", ".1.99", ".2", ".5", ".4.50", ".4.51", ".4.57", ".4.70", ".4.80", ".4.81",
    ".4.90", ".4.91", ".4.201", ".4.202", ".4.203", ".8.1", ".4.100",
];
const PHOTOMETRIC: [&str; 8] = [
    "MONOCHROME1",
    "MONOCHROME2",
    "PALETTE COLOR",
    "RGB",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_RCT",
    "YBR_ICT",
];
/// Sides of an image, most of them small, so that the bytes at hand fill it.
const SIDES: [u16; 8] = [1, 2, 3, 8, 16, 17, 64, u16::MAX];
const BITS: [u16; 8] = [1, 8, 8, 12, 16, 16, 32, 24];

fn padded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(2), b' ');
    bytes
}

fn element(group: u16, number: u16, form: [u8; 2], value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("values here are short");
    let tag = [group.to_le_bytes(), number.to_le_bytes()].concat();
    [&tag[..], &form, &length.to_le_bytes(), value].concat()
}

/// Preamble, meta information and a description of pixels; what `draw` has left are the pixels.
fn dicom(draw: &mut Draw<'_>) -> Vec<u8> {
    let syntax = SYNTAXES[draw.below(SYNTAXES.len())];
    let uid = padded(&format!("1.2.840.10008.1.2{syntax}"))
        .iter()
        .map(|b| if *b == b' ' { 0 } else { *b })
        .collect::<Vec<u8>>();
    let meta = element(2, 0x10, *b"UI", &uid);
    let length = u32::try_from(meta.len()).expect("a short element").to_le_bytes();
    let photometric = PHOTOMETRIC[draw.below(PHOTOMETRIC.len())];
    let samples = if draw.flag() && !photometric.starts_with('M') { 3_u16 } else { 1 };
    let side = |draw: &mut Draw<'_>| SIDES[draw.below(SIDES.len())];
    let (rows, columns, allocated) = (side(draw), side(draw), BITS[draw.below(BITS.len())]);
    let mut file = [vec![0; 128], b"DICM".to_vec(), element(2, 0, *b"UL", &length), meta].concat();
    file.extend(element(0x28, 4, *b"CS", &padded(photometric)));
    let frames = if draw.flag() { "1" } else { "2" };
    file.extend(element(0x28, 8, *b"IS", &padded(frames)));
    let signed = u16::from(draw.flag());
    for (number, value) in [
        (2, samples),
        (0x10, rows),
        (0x11, columns),
        (0x100, allocated),
        (0x101, allocated),
        (0x102, allocated.wrapping_sub(1)),
        (0x103, signed),
    ] {
        file.extend(element(0x28, number, *b"US", &value.to_le_bytes()));
    }
    if photometric.starts_with('P') && draw.flag() {
        file.extend(segmented_palette(draw));
    }
    file.extend(if draw.flag() { draw.rest() } else { pixels(draw) });
    file
}

/// The same segments for each colour: mostly opcodes, and numbers that lie within the table.
fn segmented_palette(draw: &mut Draw<'_>) -> Vec<u8> {
    let count = u16::try_from(draw.below(24)).expect("below 24");
    let bits = if draw.flag() { 8 } else { 16 };
    let segments = draw.list(|draw| u16::try_from(draw.below(6)).expect("below 6"));
    let segments: Vec<u8> = segments
        .iter()
        .flat_map(|number| number.to_le_bytes().into_iter().take(usize::from(bits) / 8))
        .collect();
    let descriptor = [count, 0, bits].map(u16::to_le_bytes);
    let describe = |number| element(0x28, number, *b"US", descriptor.as_flattened());
    let hold = |number| {
        let length = u32::try_from(segments.len()).expect("segments here are short").to_le_bytes();
        let tag = [0x28_u16.to_le_bytes(), u16::to_le_bytes(number)].concat();
        [&tag[..], b"OW\0\0", &length, &segments].concat()
    };
    let descriptors = [0x1101, 0x1102, 0x1103].map(describe).concat();
    [descriptors, [0x1221, 0x1222, 0x1223].map(hold).concat()].concat()
}

/// Pixel data, in one fragment or as they are.
fn pixels(draw: &mut Draw<'_>) -> Vec<u8> {
    let tag = [0xe0, 0x7f, 0x10, 0, b'O', b'B', 0, 0];
    let (is_fragment, bytes) = (draw.flag(), draw.rest());
    let length = u32::try_from(bytes.len()).expect("inputs are short").to_le_bytes();
    let item = [0xfe, 0xff, 0x00, 0xe0];
    if is_fragment {
        [&tag[..], &[0xff; 4], &item, &[0; 4], &item, &length, &bytes].concat()
    } else {
        [&tag[..], &length, &bytes].concat()
    }
}

fn input(draw: &mut Draw<'_>) -> ModelInput {
    let scalings = [
        ValueScaling::Unit,
        ValueScaling::Modality,
        ValueScaling::Window { low: -100.0, high: 200.0 },
        ValueScaling::Voi,
    ];
    let frames = [FrameChoice::Only, FrameChoice::Middle, FrameChoice::Number(2)];
    ModelInput {
        name: "image".to_owned(),
        layout: if draw.flag() { Layout::Nchw } else { Layout::Nhwc },
        height: 8,
        width: 9,
        channels: if draw.flag() { 1 } else { 3 },
        scaling: scalings[draw.below(scalings.len())],
        mean: 0.5,
        standard_deviation: 0.25,
        resize: if draw.flag() { Resize::Bilinear } else { Resize::Letterbox },
        monochrome1: Monochrome1::Invert,
        frame: frames[draw.below(frames.len())],
        volume: None,
    }
}

fn decoded(input: &ModelInput, bytes: &[u8]) {
    let request = DecodeRequest { input, dicom_attributes: &[], bytes };
    if let Ok(image) = decode_image(&request) {
        finite(image.tensor.iter().map(|value| f64::from(*value)));
    }
    let volume = VolumeInput {
        depth: 4,
        gantry_tilt: GantryTilt::Refuse,
        orientation: AxisOrder::AXIAL,
        spacing_mm: [2.0, 1.0, 1.0],
        padding: 0.0,
        slab: None,
    };
    let input = ModelInput { volume: Some(volume), ..input.clone() };
    let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes };
    if let Ok(image) = decode_image(&request) {
        finite(image.tensor.iter().map(|value| f64::from(*value)));
    }
    if let Ok(volume) = decode_series(&input, &[], &[bytes.to_vec(), bytes.to_vec()]) {
        finite(volume.tensor.iter().map(|value| f64::from(*value)));
    }
}

/// One of the tasks; where there are classes, they are of the label values of the binary one.
fn task(draw: &mut Draw<'_>) -> Task {
    let class = |name: &str| Class {
        name: name.parse().expect("an identifier"),
        values: vec![name.to_owned()],
    };
    let classes = ["0", "1"].map(class).to_vec();
    match draw.below(4) {
        0 => Task::Binary,
        1 => Task::MultiClass(classes),
        2 => Task::Ordinal(classes),
        _ => Task::Regression(Quantity {
            grid_micro: 1,
            largest_error_micro: 1_000_000,
            lower_micro: 0,
            name: "quantity".parse().expect("an identifier"),
            unit: String::new(),
            upper_micro: 1_000_000,
        }),
    }
}

fn manifest(draw: &mut Draw<'_>) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("manifest.csv");
    let task = task(draw);
    let (index_test, columns) = match draw.below(3) {
        0 => (IndexTestColumn::Image("image".to_owned()), "image"),
        1 if task.classes().is_empty() => (IndexTestColumn::Score("score".to_owned()), "score"),
        1 => (IndexTestColumn::Score("score".to_owned()), "score_0,score_1"),
        _ => (IndexTestColumn::Called("called".to_owned()), "called"),
    };
    let header = format!("case_id,patient_id,{columns},label\n");
    let header: &[u8] = if draw.flag() { header.as_bytes() } else { b"" };
    fs::write(&path, [header, &draw.rest()].concat()).expect("the folder takes a file");
    let source = ManifestSource {
        manifest: path,
        root: folder.path().to_owned(),
        columns: ColumnMapping { index_test, ..ColumnMapping::default() },
    };
    let standard = ReferenceStandard {
        description: String::new(),
        positive: vec!["1".to_owned()],
        negative: vec!["0".to_owned()],
    };
    let labels =
        Labels { task: &task, standard: &standard, takes_folders: false, form: OutputForm::Scores };
    let _ = read_manifest(&source, labels, &[]);
}

/// What a hostile table could make its box say: a head that is mostly honest, and then anything.
fn parquet_replies(draw: &mut Draw<'_>) {
    let mut head = vec![0];
    for _ in 0..draw.below(4) {
        head.extend([1, 1, 0, 0, 0, b'a']);
    }
    if draw.flag() {
        head.extend(draw.list(|draw| u8::from(draw.flag())));
    }
    let mut rows = vec![0];
    for _ in 0..draw.below(40) {
        let length = u8::try_from(draw.below(6)).expect("a small number");
        rows.extend([length, 0, 0, 0]);
        rows.extend(vec![b'x'; draw.below(6)]);
    }
    rows.extend(draw.rest());
    let _ = rows_of_replies(&head, &rows);
}

/// Two files of findings of two cases, each with its header or without.
fn findings(draw: &mut Draw<'_>) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let case = |case_id: &str| Case {
        case_id: case_id.to_owned(),
        patient: 0,
        index_test: IndexTest::Findings(ScanStatus::Read),
        reference: None,
        attributes: Attributes::default(),
    };
    let cohort = Cohort::new(["0", "1"].map(case), ["p".to_owned()], Vec::new());
    let (matching, places) = if draw.flag() {
        (Matching::Iou(500), "x0,y0,x1,y1")
    } else {
        (Matching::CentreInRadius, "x,y,radius_mm")
    };
    let source = FindingsSource {
        reference: folder.path().join("reference.csv"),
        predicted: folder.path().join("predicted.csv"),
        score: ConceptCode::default(),
        status: None,
    };
    let (first, all) = (draw.flag(), draw.rest());
    let (one, other) = all.split_at(all.len() / 2);
    for (path, columns, bytes) in [
        (&source.reference, places.to_owned(), one),
        (&source.predicted, format!("{},score", places.replace(",radius_mm", "")), other),
    ] {
        let header = if first { format!("case_id,{columns}\n") } else { String::new() };
        fs::write(path, [header.as_bytes(), bytes].concat()).expect("the folder takes a file");
    }
    let _ = read_findings(&source, &cohort, matching);
}

/// An RT Structure Set with a region of the name that is looked for: what `draw` has are corners, and then anything.
fn structure_set(draw: &mut Draw<'_>) -> Vec<u8> {
    let sequence = |group, number, items: &[Vec<u8>]| {
        let item = |of: &Vec<u8>| {
            let length = u32::try_from(of.len()).expect("inputs are short").to_le_bytes();
            [&[0xfe, 0xff, 0x00, 0xe0][..], &length, of.as_slice()].concat()
        };
        let items: Vec<u8> = items.iter().flat_map(item).collect();
        let length = u32::try_from(items.len()).expect("inputs are short").to_le_bytes();
        let tag = [u16::to_le_bytes(group), u16::to_le_bytes(number)].concat();
        [&tag[..], b"SQ\0\0", &length, &items].concat()
    };
    let kinds = ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "POINT"];
    let mut contours = Vec::new();
    for _ in 0..draw.below(5) {
        let corner = |draw: &mut Draw<'_>| {
            let plane = draw.below(4).to_string();
            format!("{:e}\\{:e}\\{plane}", draw.number(), draw.number())
        };
        let corners = draw.list(corner);
        let kind = padded(kinds[draw.below(kinds.len())]);
        contours.push(
            [
                element(0x3006, 0x42, *b"CS", &kind),
                element(0x3006, 0x46, *b"IS", &padded(&corners.len().to_string())),
                element(0x3006, 0x50, *b"DS", &padded(&corners.join("\\"))),
            ]
            .concat(),
        );
    }
    let number = padded("1");
    let named = [element(0x3006, 0x22, *b"IS", &number), element(0x3006, 0x26, *b"LO", b"A ")];
    let drawn = [sequence(0x3006, 0x40, &contours), element(0x3006, 0x84, *b"IS", &number)];
    let meta = [
        element(2, 2, *b"UI", b"1.2.840.10008.5.1.4.1.1.481.3\0"),
        element(2, 0x10, *b"UI", b"1.2.840.10008.1.2.1\0"),
    ]
    .concat();
    let length = u32::try_from(meta.len()).expect("a short element").to_le_bytes();
    [
        vec![0; 128],
        b"DICM".to_vec(),
        element(2, 0, *b"UL", &length),
        meta,
        sequence(0x3006, 0x20, &[named.concat()]),
        sequence(0x3006, 0x39, &[drawn.concat()]),
        if draw.flag() { draw.rest() } else { Vec::new() },
    ]
    .concat()
}

/// A volume of 8 × 8 × 4 voxels of a millimetre, of which a few are in the mask.
fn volume() -> Vec<u8> {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, what: &[u8]| bytes[at..at + what.len()].copy_from_slice(what);
    put(0, &348_i32.to_le_bytes());
    for (axis, length) in [3_i16, 8, 8, 4, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + 2 * axis, &length.to_le_bytes());
    }
    put(70, &2_i16.to_le_bytes());
    put(72, &8_i16.to_le_bytes());
    put(108, &352_f32.to_le_bytes());
    put(123, &[2]);
    put(254, &1_i16.to_le_bytes());
    for (axis, step) in [-1.0_f32, -1.0, 1.0].into_iter().enumerate() {
        put(280 + 20 * axis, &step.to_le_bytes());
    }
    put(344, b"n+1\0");
    bytes.extend((0..256).map(|place| u8::from(place % 8 < 5)));
    bytes
}

/// Contours on the grid of a volume.
fn contours(draw: &mut Draw<'_>) {
    let structure = Structure {
        labels: vec![1],
        other_labels: Vec::new(),
        rois: vec!["A".to_owned()],
        border: Border::VoxelBorder,
        tolerance_um: 2_000,
        hd95_bound_um: 50_000,
        pixel_spacing_um: None,
    };
    let (file, volume) = (structure_set(draw), volume());
    let request = MaskRequest { structure: &structure, reference: &file, predicted: &volume };
    if let Ok(MaskComparison { measures: Some(of), .. }) = compare_masks(&request) {
        finite([of.dice, of.hd95_mm, of.nsd]);
    }
}

/// A report with what `draw` has as its content: sequences of any tag that is read, and values of them.
fn report(draw: &mut Draw<'_>, depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let kinds = ["CONTAINER", "CODE", "NUM", "SCOORD", "SCOORD3D", "IMAGE"];
    bytes.extend(element(0x40, 0xa040, *b"CS", &padded(kinds[draw.below(kinds.len())])));
    let graphics = ["POINT", "POLYLINE", "CIRCLE", "ELLIPSE", "ELLIPSOID", "POLYGON"];
    bytes.extend(element(0x70, 0x23, *b"CS", &padded(graphics[draw.below(graphics.len())])));
    #[expect(clippy::cast_possible_truncation, reason = "what is too large is infinite")]
    let places: Vec<u8> =
        draw.list(Draw::number).iter().flat_map(|of| (*of as f32).to_le_bytes()).collect();
    bytes.extend(element(0x70, 0x22, *b"FL", &places));
    if depth > 0 {
        let items: Vec<u8> = (0..draw.below(4))
            .flat_map(|_| {
                let item = report(draw, depth - 1);
                let length = u32::try_from(item.len()).expect("inputs are short").to_le_bytes();
                [&[0xfe, 0xff, 0x00, 0xe0][..], &length, &item].concat()
            })
            .collect();
        let length = u32::try_from(items.len()).expect("inputs are short").to_le_bytes();
        bytes.extend([&[0x40, 0, 0x30, 0xa7][..], b"SQ\0\0", &length, &items].concat());
    }
    bytes
}

/// A report of either side, by either rule, with damage at its end or none.
fn reports(draw: &mut Draw<'_>) {
    let meta = [
        element(2, 2, *b"UI", b"1.2.840.10008.5.1.4.1.1.88.34\0"),
        element(2, 0x10, *b"UI", b"1.2.840.10008.1.2.1\0"),
    ]
    .concat();
    let length = u32::try_from(meta.len()).expect("a short element").to_le_bytes();
    let side = if draw.flag() { Side::Reference } else { Side::Predicted };
    let matching = if draw.flag() { Matching::Iou(500) } else { Matching::CentreInRadius };
    let content = report(draw, 4);
    let bytes = [
        vec![0; 128],
        b"DICM".to_vec(),
        element(2, 0, *b"UL", &length),
        meta,
        content,
        if draw.flag() { draw.rest() } else { Vec::new() },
    ]
    .concat();
    let score = ConceptCode::default();
    let request = ReportRequest { side, matching, score: &score, bytes: &bytes };
    if let Ok(found) = read_report(&request) {
        finite(found.reference.iter().map(|of| of.radius_mm));
        finite(found.predicted.iter().map(|of| of.score));
    }
}

/// Two masks of any format, of which the second is often the first.
fn masks(draw: &mut Draw<'_>) {
    let borders = [Border::VoxelBorder, Border::Surfel];
    let structure = Structure {
        labels: vec![1, 255],
        other_labels: (2..60).collect(),
        rois: vec!["A".to_owned()],
        border: borders[draw.below(2)],
        tolerance_um: 2_000,
        hd95_bound_um: 50_000,
        pixel_spacing_um: draw.flag().then_some(1_000),
    };
    let (start, is_twice): (&[u8], bool) = match draw.below(4) {
        0 => (b"\x89PNG\r\n\x1a\n", draw.flag()),
        _ => (b"", draw.flag()),
    };
    let mut file = [start, &draw.rest()].concat();
    if let Some(name) = file.get_mut(344..348).filter(|_| start.is_empty()) {
        name.copy_from_slice(b"n+1\0");
    }
    let predicted = if is_twice { &file[..] } else { &file[..file.len() / 2] };
    let request = MaskRequest { structure: &structure, reference: &file, predicted };
    if let Ok(MaskComparison { measures: Some(of), .. }) = compare_masks(&request) {
        finite([of.dice, of.hd95_mm, of.nsd]);
    }
}

pub(super) const TARGETS: &[Target] = &[
    Target {
        entry: "files::dicom",
        run: |draw| {
            let input = input(draw);
            let file = dicom(draw);
            decoded(&input, &file);
            let _ = stored_frame(&file, 1);
        },
    },
    Target {
        entry: "files::png",
        run: |draw| {
            let input = input(draw);
            decoded(&input, &[b"\x89PNG\r\n\x1a\n".as_slice(), &draw.rest()].concat());
        },
    },
    Target {
        entry: "files::jpeg",
        run: |draw| {
            let input = input(draw);
            decoded(&input, &[[0xff, 0xd8, 0xff].as_slice(), &draw.rest()].concat());
        },
    },
    Target {
        entry: "files::tiff",
        run: |draw| {
            let input = input(draw);
            let start: &[u8] = if draw.flag() { b"II*\0" } else { b"MM\0*" };
            decoded(&input, &[start, &draw.rest()].concat());
        },
    },
    Target {
        entry: "files::nifti",
        run: |draw| {
            let input = input(draw);
            let mut file = draw.rest();
            // Only what calls itself one is read.
            if let Some(name) = file.get_mut(344..348) {
                name.copy_from_slice(b"n+1\0");
            }
            decoded(&input, &file);
        },
    },
    Target { entry: "files::masks", run: masks },
    Target { entry: "files::contours", run: contours },
    Target { entry: "files::reports", run: reports },
    Target { entry: "files::manifest", run: manifest },
    Target { entry: "files::parquet_replies", run: parquet_replies },
    Target { entry: "files::findings", run: findings },
];
