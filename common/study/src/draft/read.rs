//! From the author's TOML to a protocol, with a stand-in for every value that is wrong, so that
//! the rules can still be held against the rest.

use toml::de::DeTable;

use super::conditions::{conditions_of, operating_points_of};
use super::reader::{Fields, Notes};
use super::{Draft, DraftError, detection, output, rules, volume};
use crate::digest::{ModelDigest, Sha256Digest};
use crate::id::{Name, StudyId};
use crate::metric::MetricId;
use crate::protocol::{
    Analysis, AttributeSource, Band, Border, Category, Class, Combine, Crossing, Dimension,
    DisclosureFloor, Endpoint, EndpointBasis, EndpointDirection, FrameChoice, Grouping, Layout,
    MOST_MICROMETRES, ModelInput, ModelSpecification, Monochrome1, OperatingPoint, PROTOCOL_SCHEMA,
    PredictionTables, ProbeRule, Profile, Quantity, ReferenceStandard, Resize, Structure,
    StudyProtocol, Task, Unit, ValueScaling,
};

pub(super) const ID: &str = "write lower-case letters, digits and hyphens, such as \"chest-2026\"";

pub(super) fn draft(text: &str) -> Result<Draft, DraftError> {
    let notes = Notes::new(text);
    let draft = match DeTable::parse(text) {
        Ok(document) => Some(document_of(&Fields::root(&notes, document.get_ref()))),
        Err(error) => {
            let line = error.span().map_or(1, |span| notes.line_of(span.start));
            notes.add(line, "(file)", error.message(), "correct the TOML at this line");
            None
        }
    };
    if let Some(draft) = &draft {
        let broken = rules::broken(&draft.protocol);
        for breach in broken.into_iter().chain(rules::left_open(&draft.protocol)) {
            if !notes.is_blamed(&breach.path) {
                let line = notes.line_at(&breach.path);
                notes.add(line, &breach.path, breach.what, breach.remedy);
            }
        }
    }
    match (draft, notes.into_problems()) {
        (Some(draft), problems) if problems.is_empty() => Ok(draft),
        (_, problems) => Err(DraftError { problems }),
    }
}

const PREPROCESSING_PROBES: [(&str, ProbeRule); 2] =
    [("accept", ProbeRule::Accept), ("require", ProbeRule::Require)];

const PREDICTION_TABLES: [(&str, PredictionTables); 2] =
    [("refuse", PredictionTables::Refuse), ("accept", PredictionTables::Accept)];

pub(super) fn stand_in_name() -> Name {
    "unreadable".parse().expect("a literal of the allowed characters")
}

fn stand_in_study() -> StudyId {
    "unreadable".parse().expect("a literal of the allowed characters")
}

fn document_of(root: &Fields<'_, '_, '_>) -> Draft {
    let model = root.table("model", "add a [model] table");
    let model_file = model.as_ref().and_then(|m| m.text("file", "give the path of the ONNX file"));
    let model_sha256 = model
        .as_ref()
        .filter(|m| m.has("sha256"))
        .and_then(|m| m.parsed::<Sha256Digest>("sha256", "write the file's SHA-256"))
        .map(ModelDigest);
    // Cut-offs of several conditions stand under each, that of a study of findings is an edge of its grid.
    let (task, mut operating_points) = task_of(root);
    if task.detection().is_none() {
        operating_points.extend(operating_points_of(root, "write [[operating_points]] tables"));
    }
    let protocol = StudyProtocol {
        schema: PROTOCOL_SCHEMA.to_owned(),
        id: root.parsed("id", ID).unwrap_or_else(stand_in_study),
        version: root.count_or("version", 1).unwrap_or(1),
        // Written by `study amend`, which knows what is amended.
        amends: None,
        title: root.text("title", "give the study a title").unwrap_or_default(),
        target_condition: root
            .text("target_condition", "name the disease sought")
            .unwrap_or_default(),
        eligibility: root.text_or_none("eligibility").unwrap_or_default(),
        model: model_of(model.as_ref(), &task),
        prediction_tables: root
            .word_or("prediction_tables", &PREDICTION_TABLES, PredictionTables::Refuse)
            .unwrap_or_default(),
        preprocessing_probes: root
            .word_or("preprocessing_probes", &PREPROCESSING_PROBES, ProbeRule::Accept)
            .unwrap_or_default(),
        reference_standard: reference_standard_of(root, &task),
        task,
        analysis: analysis_of(root),
        operating_points,
        subgroups: root
            .tables("subgroups", "write [[subgroups]] tables")
            .iter()
            .map(dimension_of)
            .collect(),
        crossings: crossings_of(root),
        endpoints: endpoints_of(root),
        disclosure: disclosure_of(root),
    };
    Draft { protocol, model_file: model_file.unwrap_or_default().into(), model_sha256 }
}

/// The task, with the operating points that stand in it.
fn task_of(root: &Fields<'_, '_, '_>) -> (Task, Vec<OperatingPoint>) {
    #[derive(Clone, Copy)]
    enum Kind {
        Binary,
        MultiClass,
        MultiLabel,
        Ordinal,
        Regression,
        Detection,
        Segmentation,
    }
    let kinds = [
        ("binary", Kind::Binary),
        ("multi_class", Kind::MultiClass),
        ("multi_label", Kind::MultiLabel),
        ("ordinal", Kind::Ordinal),
        ("regression", Kind::Regression),
        ("detection", Kind::Detection),
        ("segmentation", Kind::Segmentation),
    ];
    let classes = || {
        let class = |t: &Fields<'_, '_, '_>| Class {
            name: t.parsed("name", ID).unwrap_or_else(stand_in_name),
            values: t.texts("values", "list the label column's values").unwrap_or_default(),
        };
        root.tables("classes", "write [[classes]] tables").iter().map(class).collect()
    };
    let task = match root.word_or("task", &kinds, Kind::Binary).unwrap_or(Kind::Binary) {
        Kind::MultiLabel => {
            let (conditions, points) = conditions_of(root);
            return (Task::MultiLabel(conditions), points);
        }
        Kind::Binary => Task::Binary,
        Kind::MultiClass => Task::MultiClass(classes()),
        Kind::Ordinal => Task::Ordinal(classes()),
        Kind::Segmentation => Task::Segmentation(structure_of(root)),
        Kind::Regression => Task::Regression(quantity_of(root)),
        Kind::Detection => Task::Detection(detection::plan_of(root)),
    };
    (task, Vec::new())
}

fn quantity_of(root: &Fields<'_, '_, '_>) -> Quantity {
    let table = root.table("quantity", "add a [quantity] table with name, lower, upper and grid");
    let table = table.as_ref();
    let micro = |key, remedy| {
        let number = table.and_then(|t| t.number(key, remedy));
        number.and_then(Quantity::micro)
    };
    let lower = micro("lower", "give the least value that a patient can have");
    let upper = micro("upper", "give the largest value that a patient can have");
    // What is missing or wrong is noted already; the rest is held against what breaks no further rule.
    let (lower_micro, upper_micro) = (lower.unwrap_or(0), upper.unwrap_or(1_000_000_000_000_000));
    let largest = table
        .filter(|t| t.has("largest_error"))
        .and_then(|t| t.number("largest_error", "give a number or leave it out"));
    let grid = micro("grid", "give the smallest difference that matters, such as 0.1");
    Quantity {
        grid_micro: grid.map_or(1, |grid| u64::try_from(grid).unwrap_or(0)),
        largest_error_micro: largest
            .and_then(Quantity::micro)
            .unwrap_or_else(|| upper_micro.saturating_sub(lower_micro)),
        lower_micro,
        name: table.and_then(|t| t.parsed("name", ID)).unwrap_or_else(stand_in_name),
        unit: table.and_then(|t| t.text_or_none("unit")).unwrap_or_default(),
        upper_micro,
    }
}

fn structure_of(root: &Fields<'_, '_, '_>) -> Structure {
    let remedy = "add a [segmentation] table with labels, border, tolerance_mm and hd95_bound_mm";
    let table = root.table("segmentation", remedy);
    let table = table.as_ref();
    let borders = [("voxel_border", Border::VoxelBorder), ("surfel", Border::Surfel)];
    let labels = |key| {
        let numbers = table.map(|t| t.numbers(key, "list values of voxels, such as [1]"));
        // What is no value of a voxel becomes the background, which the rules refuse.
        numbers.unwrap_or_default().into_iter().map(label).collect()
    };
    let length = |key, remedy| table.and_then(|t| t.number(key, remedy)).map(micrometres);
    Structure {
        labels: labels("labels"),
        other_labels: labels("other_labels"),
        rois: table
            .filter(|t| t.has("rois"))
            .and_then(|t| t.texts("rois", "list names of regions, such as [\"Heart\"]"))
            .unwrap_or_default(),
        border: table.and_then(|t| t.word("border", &borders)).unwrap_or(Border::VoxelBorder),
        tolerance_um: length("tolerance_mm", "give the difference that experts have, such as 2")
            .unwrap_or(0),
        hd95_bound_um: length("hd95_bound_mm", "give the largest distance that counts, such as 50")
            .unwrap_or(MOST_MICROMETRES),
        pixel_spacing_um: table
            .filter(|t| t.has("pixel_spacing_mm"))
            .and_then(|t| t.number("pixel_spacing_mm", "give the size of a pixel, or leave it out"))
            .map(micrometres),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to the range")]
fn label(number: f64) -> u16 {
    let is_label = number.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(&number);
    if is_label { number as u16 } else { 0 }
}

/// To whole micrometres; what is none, or beyond all, becomes more than any rule allows.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to the range")]
fn micrometres(millimetres: f64) -> u32 {
    let micrometres = (millimetres * 1000.0).round();
    let is_length = (0.0..=f64::from(MOST_MICROMETRES)).contains(&micrometres);
    if is_length { micrometres as u32 } else { u32::MAX }
}

fn model_of(model: Option<&Fields<'_, '_, '_>>, task: &Task) -> ModelSpecification {
    let input = model.and_then(|m| m.table("input", "add a [model.input] table"));
    let output = model.and_then(|m| m.table("output", "add a [model.output] table"));
    ModelSpecification {
        name: model.and_then(|m| m.text("name", "name the model")).unwrap_or_default(),
        digest: ModelDigest(Sha256Digest::of(b"")),
        bytes: 0,
        input: input_of(input.as_ref()),
        output: output::output_of(output.as_ref(), task),
    }
}

fn input_of(input: Option<&Fields<'_, '_, '_>>) -> ModelInput {
    let pixels = "give the size the model was trained on, in pixels";
    let layouts = [("nchw", Layout::Nchw), ("nhwc", Layout::Nhwc)];
    let resizes = [
        ("refuse", Resize::Refuse),
        ("bilinear", Resize::Bilinear),
        ("letterbox", Resize::Letterbox),
    ];
    let monochrome1 = [("invert", Monochrome1::Invert), ("refuse", Monochrome1::Refuse)];
    let scaling = input.and_then(scaling_of).unwrap_or(ValueScaling::Unit);
    let volume = input.and_then(|i| volume::volume_of(i, scaling));
    // What happens to a picture of another size, or to an inverted one, need not be said of volumes.
    let resize = |i: &Fields<'_, '_, '_>| match &volume {
        Some(_) => i.word_or("resize", &resizes, Resize::Refuse),
        None => i.word("resize", &resizes),
    };
    let inverted = |i: &Fields<'_, '_, '_>| match &volume {
        Some(_) => i.word_or("monochrome1", &monochrome1, Monochrome1::Refuse),
        None => i.word("monochrome1", &monochrome1),
    };
    ModelInput {
        name: input.and_then(|i| i.text("name", "name the graph's input")).unwrap_or_default(),
        layout: input.and_then(|i| i.word("layout", &layouts)).unwrap_or(Layout::Nchw),
        height: input.and_then(|i| i.count("height", pixels)).unwrap_or(1),
        width: input.and_then(|i| i.count("width", pixels)).unwrap_or(1),
        channels: input.and_then(|i| i.count("channels", "write 1 or 3")).unwrap_or(1),
        scaling,
        mean: input.and_then(|i| i.number_or("mean", 0.0)).unwrap_or(0.0),
        standard_deviation: input
            .and_then(|i| i.number_or("standard_deviation", 1.0))
            .unwrap_or(1.0),
        resize: input.and_then(resize).unwrap_or(Resize::Refuse),
        monochrome1: input.and_then(inverted).unwrap_or(Monochrome1::Invert),
        frame: input.and_then(frame_of).unwrap_or_default(),
        volume,
    }
}

fn frame_of(input: &Fields<'_, '_, '_>) -> Option<FrameChoice> {
    #[derive(Clone, Copy)]
    enum Kind {
        Only,
        Middle,
        Number,
    }
    let kinds = [("only", Kind::Only), ("middle", Kind::Middle), ("number", Kind::Number)];
    match input.word_or("frame", &kinds, Kind::Only)? {
        Kind::Only => Some(FrameChoice::Only),
        Kind::Middle => Some(FrameChoice::Middle),
        Kind::Number => {
            Some(FrameChoice::Number(input.count("frame_number", "give the frame, from 1")?))
        }
    }
}

fn scaling_of(input: &Fields<'_, '_, '_>) -> Option<ValueScaling> {
    #[derive(Clone, Copy)]
    enum Kind {
        Unit,
        Modality,
        Window,
        Voi,
    }
    let kinds = [
        ("unit", Kind::Unit),
        ("modality", Kind::Modality),
        ("window", Kind::Window),
        ("voi", Kind::Voi),
    ];
    match input.word("scaling", &kinds)? {
        Kind::Unit => Some(ValueScaling::Unit),
        Kind::Modality => Some(ValueScaling::Modality),
        Kind::Window => Some(ValueScaling::Window {
            low: input.number("window_low", "give the value mapped to 0")?,
            high: input.number("window_high", "give the value mapped to 1")?,
        }),
        Kind::Voi => Some(ValueScaling::Voi),
    }
}

fn reference_standard_of(root: &Fields<'_, '_, '_>, task: &Task) -> ReferenceStandard {
    let table = root.table("reference_standard", "add a [reference_standard] table");
    let values = "list the label column's values, such as [\"1\"]";
    // Classes have values of their own.
    let texts = |key| {
        let table = table.as_ref().filter(|_| task.is_binary());
        table.and_then(|t| t.texts(key, values)).unwrap_or_default()
    };
    ReferenceStandard {
        description: table
            .as_ref()
            .and_then(|t| t.text("description", "say how the reference standard was established"))
            .unwrap_or_default(),
        positive: texts("positive"),
        negative: texts("negative"),
    }
}

fn analysis_of(root: &Fields<'_, '_, '_>) -> Analysis {
    let table = root.table("analysis", "add an [analysis] table");
    let table = table.as_ref();
    let units = [("patient", Unit::Patient), ("image", Unit::Image)];
    let combines =
        [("mean", Combine::Mean), ("maximum", Combine::Maximum), ("first", Combine::First)];
    let unit = table.and_then(|t| t.word("unit", &units)).unwrap_or(Unit::Image);
    let wants_combine = |t: &&Fields<'_, '_, '_>| unit == Unit::Patient || t.has("combine");
    Analysis {
        unit,
        combine: table.filter(wants_combine).and_then(|t| t.word("combine", &combines)),
        failure_limit: table.and_then(|t| t.number_or("failure_limit", 0.05)).unwrap_or(0.05),
        ece_bins: table.and_then(|t| t.count_or("ece_bins", 10)).unwrap_or(10),
        level: table.and_then(|t| t.number_or("level", 0.95)).unwrap_or(0.95),
        prevalences: table
            .map(|t| t.numbers("prevalences", "list shares such as [0.02, 0.1]"))
            .unwrap_or_default(),
    }
}

fn dimension_of(table: &Fields<'_, '_, '_>) -> Dimension {
    let source = if table.has("dicom") {
        table.text("dicom", "give a DICOM keyword").map(AttributeSource::Dicom)
    } else {
        table
            .text("column", "give a manifest column, or `dicom` with a keyword")
            .map(AttributeSource::Column)
    };
    Dimension {
        name: table.parsed("dimension", ID).unwrap_or_else(stand_in_name),
        source: source.unwrap_or(AttributeSource::Column(String::new())),
        grouping: grouping_of(table),
    }
}

fn crossings_of(root: &Fields<'_, '_, '_>) -> Vec<Crossing> {
    let dimension = "name one of the [[subgroups]]";
    root.tables("crossings", "write [[crossings]] tables")
        .iter()
        .map(|t| Crossing {
            name: t.parsed("name", ID).unwrap_or_else(stand_in_name),
            rows: t.parsed("rows", dimension).unwrap_or_else(stand_in_name),
            columns: t.parsed("columns", dimension).unwrap_or_else(stand_in_name),
        })
        .collect()
}

fn grouping_of(table: &Fields<'_, '_, '_>) -> Grouping {
    if table.has("bands") {
        let bound = "give a number";
        let band = |t: &Fields<'_, '_, '_>| Band {
            name: t.parsed("name", ID).unwrap_or_else(stand_in_name),
            from: t.number("from", bound).unwrap_or(0.0),
            below: t.number("below", bound).unwrap_or(1.0),
        };
        let bands = table.tables("bands", "write { name, from, below } tables");
        return Grouping::Bands(bands.iter().map(band).collect());
    }
    let category = |t: &Fields<'_, '_, '_>| Category {
        name: t.parsed("name", ID).unwrap_or_else(stand_in_name),
        values: t.texts("values", "list the values of this category").unwrap_or_default(),
    };
    let categories = table.tables("categories", "write { name, values } tables");
    Grouping::Categories(categories.iter().map(category).collect())
}

fn endpoints_of(root: &Fields<'_, '_, '_>) -> Vec<Endpoint> {
    let directions =
        [("at_least", EndpointDirection::AtLeast), ("at_most", EndpointDirection::AtMost)];
    let bases = [("pooled_mean", EndpointBasis::PooledMean), ("new_site", EndpointBasis::NewSite)];
    root.tables("endpoints", "write [[endpoints]] tables")
        .iter()
        .map(|t| Endpoint {
            name: t.parsed("name", ID).unwrap_or_else(stand_in_name),
            metric: t
                .parsed("metric", "write a metric such as \"auroc\" or \"sensitivity@NAME\"")
                .unwrap_or(MetricId::Auroc),
            limit: t.number("limit", "give the acceptance limit").unwrap_or(0.0),
            direction: t
                .word_or("direction", &directions, EndpointDirection::AtLeast)
                .unwrap_or(EndpointDirection::AtLeast),
            basis: t
                .word_or("basis", &bases, EndpointBasis::PooledMean)
                .unwrap_or(EndpointBasis::PooledMean),
        })
        .collect()
}

fn disclosure_of(root: &Fields<'_, '_, '_>) -> DisclosureFloor {
    let table = root.table("disclosure", "add a [disclosure] table with profile and k");
    DisclosureFloor {
        profile: table
            .as_ref()
            .and_then(|t| t.word_or("profile", &Profile::NAMED, Profile::Standard))
            .unwrap_or(Profile::Standard),
        k: table.as_ref().and_then(|t| t.count_or("k", 11)).unwrap_or(11).into(),
    }
}
