//! Tables: the manifest, findings, and what a box says of a table.

use std::fs;

use fedval_ingest::manifest::rows_of_replies;
use fedval_ingest::{
    Attributes, Case, Cohort, ColumnMapping, ConceptCode, FindingsSource, IndexTest,
    IndexTestColumn, ManifestSource, ScanStatus, read_findings, read_manifest,
};
use fedval_study::protocol::{
    Class, Labels, Matching, OutputForm, Quantity, ReferenceStandard, Task,
};

use crate::draw::Draw;

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

pub(super) fn manifest(draw: &mut Draw<'_>) {
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
pub(super) fn parquet_replies(draw: &mut Draw<'_>) {
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
pub(super) fn findings(draw: &mut Draw<'_>) {
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
