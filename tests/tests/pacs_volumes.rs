//! Hospitals whose volumes are series in a PACS – Orthanc – that is asked by DICOMweb, by C-GET and by
//! C-MOVE: the same patients come to the same numbers as from folders of slices, nothing of a series stays
//! on a disk, and a series that is no volume is refused as a folder is.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../site-agent/ingest/tests/dicom_file/mod.rs"]
mod dicom_file;
#[path = "../../site-agent/inference/tests/onnx_file/mod.rs"]
mod onnx_file;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use dicom_file::{EXPLICIT, element_bytes, padded};
use fedval_tests::canary::{Canaries, files_below, stands_in};
use fedval_tests::consortium::{Consortium, Site, free_port};
use fedval_tests::dice::Dice;
use fedval_tests::orthanc::{self, AGENT_TITLE, Orthanc, PACS_TITLE, PASSWORD};
use fedval_tests::reported::{number, site};
use fedval_tests::small_site;
use serde_json::Value;
use tract_onnx::pb::GraphProto;

/// Patients of a hospital, half of them with the condition.
const PATIENTS: usize = 120;
/// Slices of a series, and pixels of a slice along each side.
const SLICES: i16 = 6;
const SIDE: u8 = 8;
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const STUDY: &str = "volumes";

/// A volume whose values grow from the feet to the head, and are the same all over a slice.
#[derive(Debug, Clone, Copy)]
struct Volume {
    is_positive: bool,
    /// Of the lowest slice.
    base: i16,
    growth: i16,
}

#[expect(clippy::cast_possible_truncation, reason = "small numbers")]
fn whole(value: f64) -> i16 {
    value.round() as i16
}

fn volumes(count: usize) -> Vec<Volume> {
    let mut dice = Dice(17);
    (0..count)
        .map(|index| {
            let is_positive = index % 2 == 1;
            let mut spread = |width: f64| width * (dice.roll() - 0.5);
            let of_condition = if is_positive { 25.0 } else { -25.0 };
            let growth = whole(of_condition + spread(120.0));
            let middle = -100.0 + spread(30.0);
            let base = whole(middle - f64::from(growth) * f64::from(SLICES - 1) / 2.0);
            Volume { is_positive, base, growth }
        })
        .collect()
}

/// One file of a patient.
#[derive(Debug, Clone)]
struct File {
    patient: usize,
    modality: &'static str,
    kind: &'static str,
    /// Numbers of the series and of the instance in it.
    series: usize,
    instance: i16,
    /// Steps from the lowest slice towards the head.
    head: i16,
    frames: u8,
    value: i16,
}

impl File {
    fn study_uid(patient: usize) -> String {
        format!("1.2.826.0.1.3680043.9.7777.{}", 5000 + patient)
    }

    fn series_uid(patient: usize, series: usize) -> String {
        format!("{}.{series}", Self::study_uid(patient))
    }

    fn uid(&self) -> String {
        format!("{}.{}", Self::series_uid(self.patient, self.series), self.instance)
    }

    /// What is stored is 1024 more than what was measured.
    fn bytes(&self) -> Vec<u8> {
        let uid = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            bytes
        };
        let own = self.uid();
        let mut file = head(&uid(&own));
        let count = usize::from(SIDE) * usize::from(SIDE) * usize::from(self.frames);
        let number = |value: u16| value.to_le_bytes().to_vec();
        let mut elements = vec![
            (0x0008, 0x0008, "CS", padded(self.kind)),
            (0x0008, 0x0016, "UI", uid(CT)),
            (0x0008, 0x0018, "UI", uid(&own)),
            (0x0008, 0x0050, "SH", padded(&accession_number(self.patient))),
            (0x0008, 0x0060, "CS", padded(self.modality)),
            (0x0010, 0x0010, "PN", padded("ZZCANARY^PATIENT")),
            (0x0010, 0x0020, "LO", padded(&format!("PATIENTX{}", self.patient))),
            (0x0020, 0x000d, "UI", uid(&Self::study_uid(self.patient))),
            (0x0020, 0x000e, "UI", uid(&Self::series_uid(self.patient, self.series))),
            (0x0020, 0x0013, "IS", padded(&self.instance.to_string())),
            (0x0020, 0x0032, "DS", padded(&format!("-20\\35\\{}", 4 * i32::from(self.head) - 700))),
            (0x0020, 0x0037, "DS", padded("1\\0\\0\\0\\1\\0")),
            (0x0020, 0x0052, "UI", uid("1.2.3.4.5")),
            (0x0028, 0x0002, "US", number(1)),
            (0x0028, 0x0004, "CS", padded("MONOCHROME2")),
            (0x0028, 0x0010, "US", number(SIDE.into())),
            (0x0028, 0x0011, "US", number(SIDE.into())),
            (0x0028, 0x0030, "DS", padded("2\\2")),
            (0x0028, 0x0100, "US", number(16)),
            (0x0028, 0x0101, "US", number(16)),
            (0x0028, 0x0102, "US", number(15)),
            (0x0028, 0x0103, "US", number(1)),
            (0x0028, 0x1052, "DS", padded("-1024")),
            (0x0028, 0x1053, "DS", padded("1")),
            (0x7fe0, 0x0010, "OW", (self.value + 1024).to_le_bytes().repeat(count)),
        ];
        if self.frames > 1 {
            elements.push((0x0028, 0x0008, "IS", padded(&self.frames.to_string())));
        }
        elements.sort_by_key(|(group, element, ..)| (*group, *element));
        for (group, element, form, value) in elements {
            file.extend(element_bytes(group, element, form, &value, true));
        }
        file
    }
}

/// What stands in front of a data set.
fn head(instance: &[u8]) -> Vec<u8> {
    let class = [CT.as_bytes(), b"\0"].concat();
    let syntax = [EXPLICIT.as_bytes(), b"\0"].concat();
    let meta = [
        element_bytes(2, 1, "OB", &[0, 1], true),
        element_bytes(2, 2, "UI", &class, true),
        element_bytes(2, 3, "UI", instance, true),
        element_bytes(2, 0x10, "UI", &syntax, true),
        element_bytes(2, 0x12, "UI", b"1.2.3\0", true),
    ]
    .concat();
    let length = u32::try_from(meta.len()).unwrap().to_le_bytes();
    [vec![0; 128], b"DICM".to_vec(), element_bytes(2, 0, "UL", &length, true), meta].concat()
}

fn accession_number(patient: usize) -> String {
    format!("ZZ{patient:06}")
}

/// The files of a patient's series.
fn series(patient: usize, volume: Volume) -> Vec<File> {
    (0..SLICES)
        .map(|head| File {
            patient,
            modality: "CT",
            kind: "ORIGINAL\\PRIMARY\\AXIAL",
            series: 1,
            // UIDs count in another order than the slices lie.
            instance: (head * 5 + 2) % SLICES,
            head,
            frames: 1,
            value: volume.base + volume.growth * head,
        })
        .collect()
}

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
