//! Hospitals whose volumes are series in a PACS – Orthanc – that is asked by DICOMweb, by C-GET and by
//! C-MOVE: the same patients come to the same numbers as from folders of slices, nothing of a series stays
//! on a disk, and a series that is no volume is refused as a folder is.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../../site-agent/ingest/tests/dicom_file/mod.rs"]
mod dicom_file;
#[path = "../../../site-agent/inference/tests/onnx_file/mod.rs"]
mod onnx_file;
mod series;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::canary::{Canaries, files_below, stands_in};
use fedval_tests::consortium::{Consortium, Site, free_port};
use fedval_tests::orthanc::{self, AGENT_TITLE, Orthanc, PACS_TITLE, PASSWORD};
use fedval_tests::reported::{number, site};
use fedval_tests::small_site;
use serde_json::Value;
use tract_onnx::pb::GraphProto;

use series::{File, SIDE, SLICES, accession_number, series, volumes};

/// Patients of a hospital, half of them with the condition.
const PATIENTS: usize = 120;
const STUDY: &str = "volumes";

/// Where a hospital keeps its series, and how its manifest names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Folder,
    Web,
    Get,
    Move,
}

impl Kept {
    const fn name(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Web => "web",
            Self::Get => "get",
            Self::Move => "move",
        }
    }

    const fn find_by(self) -> &'static str {
        match self {
            Self::Folder | Self::Web => "series_instance_uid",
            Self::Get => "study_instance_uid",
            Self::Move => "accession_number",
        }
    }
}

/// A hospital, and the PACS that it reads from.
struct Hospital {
    site: Site,
    pacs: Option<Orthanc>,
}

impl Hospital {
    /// Enrols a hospital with these cases: whether each has the condition, and its files. What a PACS keeps lies in no
    /// folder.
    fn enrol(
        consortium: &Consortium,
        kept: Kept,
        find_by: &str,
        cases: &[(bool, Vec<File>)],
    ) -> Self {
        let data = consortium.path(&format!("data-{}", kept.name()));
        fs::create_dir_all(&data).expect("a writable folder");
        let mut manifest = "case_id,patient_id,image,label\n".to_owned();
        for (index, (is_positive, files)) in cases.iter().enumerate() {
            let image = match (kept, find_by) {
                (Kept::Folder, _) => format!("VOLUMEX{index}"),
                (_, "series_instance_uid") => File::series_uid(index, 1),
                (_, "study_instance_uid") => File::study_uid(index),
                _ => accession_number(index),
            };
            if kept == Kept::Folder {
                write_folder(&data.join(&image), files);
            }
            let label = u8::from(*is_positive);
            writeln!(manifest, "CASEX{index},PATIENTX{index},{image},{label}").expect("text");
        }
        fs::write(data.join("manifest.csv"), manifest).expect("a writable folder");
        let site = consortium.enrol(kept.name(), &data);
        let pacs = pacs(&site, kept, find_by);
        if let Some(pacs) = &pacs {
            cases.iter().flat_map(|(_, files)| files).for_each(|file| pacs.store(&file.bytes()));
        }
        Self { site, pacs }
    }
}

fn write_folder(folder: &Path, files: &[File]) {
    fs::create_dir(folder).expect("a writable folder");
    // A folder that was exported holds the one series that was asked for.
    for file in files.iter().filter(|file| file.series == 1) {
        let name = format!("IM{}", file.instance);
        fs::write(folder.join(name), file.bytes()).expect("a writable folder");
    }
}

/// An empty PACS, from which the site reads in the place of a folder.
fn pacs(site: &Site, kept: Kept, find_by: &str) -> Option<Orthanc> {
    let (pacs, table) = match kept {
        Kept::Folder => return None,
        Kept::Web => {
            let pacs = Orthanc::start(true);
            let table = format!(
                "[data_sources.pacs]\nurl = \"{}\"\ncredentials = \"{}\"",
                pacs.url(),
                pacs.credentials(PASSWORD).display(),
            );
            (pacs, table)
        }
        Kept::Get | Kept::Move => {
            let arrivals = free_port();
            let pacs = Orthanc::start_with_dimse(arrivals);
            let retrieval = match kept {
                Kept::Move => {
                    format!("retrieve = \"move\"\nlisten = \"127.0.0.1:{arrivals}\"")
                }
                _ => "retrieve = \"get\"".to_owned(),
            };
            let table = format!(
                "[data_sources.dimse]\naddress = \"{}\"\ncalled_ae = \"{PACS_TITLE}\"\n\
                 calling_ae = \"{AGENT_TITLE}\"\n{retrieval}\nwithout_tls = true",
                pacs.dimse_address(),
            );
            (pacs, table)
        }
    };
    let file = site.home.join("agent.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("root")).collect();
    let text = format!(
        "{}\n{table}\nfind_by = \"{find_by}\"\nmodality = \"CT\"\nrequests_per_second = 1000.0\n",
        kept.join("\n"),
    );
    fs::write(file, text).expect("a writable folder");
    Some(pacs)
}

/// The mean of the voxels, those near the head weighted more, and a curve.
fn model() -> Vec<u8> {
    let slice = usize::from(SIDE) * usize::from(SIDE);
    let mut weights = Vec::new();
    for depth in 0..SLICES {
        let weight = 8.0 + 2.4 * (f32::from(depth) - 2.5);
        weights.extend(std::iter::repeat_n(weight, slice));
    }
    let shape = [1, 1, i64::from(SLICES), i64::from(SIDE), i64::from(SIDE)];
    let nodes = vec![
        onnx_file::node("Mul", &["image", "weight"], "weighted"),
        onnx_file::node("GlobalAveragePool", &["weighted"], "pooled"),
        onnx_file::node("Flatten", &["pooled"], "flat"),
        onnx_file::node("Add", &["flat", "bias"], "logit"),
        onnx_file::node("Sigmoid", &["logit"], "score"),
    ];
    let stored = vec![
        onnx_file::floats("weight", &shape, &weights),
        onnx_file::floats("bias", &[1, 1], &[-3.6]),
    ];
    let input = vec![onnx_file::value("image", &shape.map(Some))];
    onnx_file::bytes(GraphProto { input, ..onnx_file::graph(nodes, stored) })
}

fn study(consortium: &Consortium) -> String {
    let file = consortium.path("model.onnx");
    fs::write(&file, model()).expect("a writable folder");
    let mut text = small_site::study(STUDY, &file);
    for (what, with) in [
        ("name = \"probability\"", "name = \"score\""),
        ("scaling = \"unit\"\n", "scaling = \"window\"\nwindow_low = -1000\nwindow_high = 1000\n"),
        (
            "resize = \"refuse\"\nmonochrome1 = \"invert\"\n",
            "[model.input.volume]\ndepth = 6\nspacing_mm = [4.0, 2.0, 2.0]\norientation = \"SPL\"\n",
        ),
        ("title = ", "preprocessing_probes = \"require\"\ntitle = "),
    ] {
        assert!(text.contains(what), "{what}");
        text = text.replacen(what, with, 1);
    }
    text
}

#[test]
fn series_in_three_pacs_give_the_numbers_of_folders_and_nothing_of_a_patient_leaves_or_stays() {
    if !orthanc::is_there() {
        return;
    }
    let consortium = Consortium::start();
    let text = study(&consortium);
    let cases: Vec<(bool, Vec<File>)> = volumes(PATIENTS)
        .into_iter()
        .enumerate()
        .map(|(patient, volume)| {
            let mut files = series(patient, volume);
            // A radiograph of the same examination, which is no series of the modality.
            let (modality, series) = ("DX", 2);
            files.push(File { modality, series, ..files[0].clone() });
            (volume.is_positive, files)
        })
        .collect();
    let kept = [Kept::Folder, Kept::Web, Kept::Get, Kept::Move];
    let hospitals = kept.map(|kept| Hospital::enrol(&consortium, kept, kept.find_by(), &cases));
    let (mut sites, pacs): (Vec<Site>, Vec<Option<Orthanc>>) =
        hospitals.into_iter().map(|Hospital { site, pacs }| (site, pacs)).unzip();
    let (_, report) = consortium.complete(STUDY, &text, &mut sites);

    let from_folder = site(&report, "folder");
    assert_eq!(from_folder["n"], PATIENTS, "every volume was read");
    let auroc = number(from_folder, "/metrics/auroc/estimate");
    assert!((0.6..0.97).contains(&auroc), "a model that is neither blind nor perfect: {auroc}");
    for name in ["web", "get", "move"] {
        let from_pacs = site(&report, name);
        assert_eq!(from_pacs["n"], PATIENTS, "{name}");
        assert_eq!(from_pacs["metrics"], from_folder["metrics"], "{name}");
    }
    for hospital in &sites {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", hospital.name)));
        let outgoing = hospital.outgoing();
        assert!(outgoing.len() > 1000, "the recorder saw what {} sent", hospital.name);
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{}", hospital.name);
        let (series, study) = (File::series_uid(0, 1), File::study_uid(0));
        for word in [series.as_str(), study.as_str(), PASSWORD, AGENT_TITLE, PACS_TITLE] {
            assert!(!stands_in(word, &outgoing), "{word} in what {} sent", hospital.name);
        }
        for (name, bytes) in files_below(&hospital.home) {
            assert!(!stands_in("ZZCANARY^PATIENT", &bytes), "{name} holds an image");
        }
    }
    drop(pacs);
}

/// Ten cases, of which some are no volume; each with what is said of it from a folder and from a PACS.
fn broken() -> Vec<(Vec<File>, Option<&'static str>, Option<&'static str>)> {
    let volumes = volumes(10);
    let files = |patient: usize| series(patient, volumes[patient]);
    let whole = |patient: usize| (files(patient), None, None);
    let same = |files: Vec<File>, code: &'static str| (files, Some(code), Some(code));
    let changed = |patient: usize, change: fn(&mut File)| {
        let mut files = files(patient);
        change(&mut files[2]);
        files
    };
    let mut gap = files(2);
    gap.remove(1);
    let mut one = files(5);
    one.truncate(1);
    let mut two_series = files(6);
    two_series.extend(files(6).into_iter().map(|file| File { series: 2, ..file }));
    vec![
        whole(0),
        whole(1),
        same(gap, "SERIES_GAP"),
        whole(3),
        same(changed(4, |file| file.frames = 2), "IMAGE_MULTI_FRAME"),
        same(one, "VOLUME_ONE_SLICE"),
        // Whoever exported a folder chose one of them.
        (two_series, None, Some("PACS_SEVERAL_SERIES")),
        (Vec::new(), Some("SERIES_FOLDER"), Some("PACS_NO_INSTANCE")),
        same(changed(8, |file| file.head = 3), "SERIES_DUPLICATE"),
        same(changed(9, |file| file.kind = "ORIGINAL\\PRIMARY\\LOCALIZER"), "SERIES_LOCALIZER"),
    ]
}

#[test]
fn a_series_that_is_no_volume_is_named_as_a_folder_is_before_the_model_sees_any() {
    if !orthanc::is_there() {
        return;
    }
    let consortium = Consortium::start();
    let text = study(&consortium);
    let broken = broken();
    let cases: Vec<(bool, Vec<File>)> =
        broken.iter().enumerate().map(|(at, (files, ..))| (at % 2 == 1, files.clone())).collect();
    let kept = [Kept::Folder, Kept::Web, Kept::Get];
    let mut hospitals =
        kept.map(|kept| Hospital::enrol(&consortium, kept, "study_instance_uid", &cases));
    let _ = consortium.lock(STUDY, &text);
    for Hospital { site, .. } in &mut hospitals {
        site.sign_policy(&[]);
        site.run();
    }
    consortium.fedval(&["study", "dispatch", STUDY, "--json"]).json();
    for (Hospital { site, .. }, kept) in hospitals.iter().zip(kept) {
        site.until_job_is("offered");
        let answer = site.agent(&["check", "--study", STUDY, "--json"]);
        let said: Value = serde_json::from_str(&answer.out).expect("it answers in JSON");
        let looked = said["dry_run"]["cases"].as_array().expect("cases were looked at");
        let codes: Vec<Option<&str>> = looked.iter().map(|case| case["code"].as_str()).collect();
        let expected: Vec<Option<&str>> = broken
            .iter()
            .map(|(_, from_folder, from_pacs)| match kept {
                Kept::Folder => *from_folder,
                _ => *from_pacs,
            })
            .collect();
        assert_eq!(codes, expected, "{}", kept.name());
    }
}
