//! Hospitals whose radiographs lie in a folder or in a PACS, and what a report says of them either way.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::canary::{Canaries, files_below, stands_in};
use crate::consortium::{Consortium, Site};
use crate::orthanc::Orthanc;
use crate::small_site;

/// The study of these hospitals.
pub const STUDY: &str = "cxr";
const SITES: [&str; 3] = ["north", "south", "west"];

/// Some patients with all their images, as a folder.
#[derive(Debug)]
pub struct Hospital {
    /// The site's name.
    pub name: &'static str,
    folder: PathBuf,
    cases: Vec<Case>,
}

#[derive(Debug)]
struct Case {
    id: String,
    patient: String,
    label: String,
    /// The file, in the third hospital with an accession number.
    dicom: Vec<u8>,
    accession_number: String,
}

/// Three hospitals, each with one patient in `share` of the shared data and all images of these patients.
///
/// # Panics
///
/// If there is no such data, or `work` cannot be written.
#[must_use]
pub fn hospitals(data: &Path, work: &Path, share: usize) -> Vec<Hospital> {
    let manifest = fs::read_to_string(data.join("nih-b/manifest.csv")).expect("a manifest");
    let lines: Vec<Vec<&str>> =
        manifest.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let patients: BTreeSet<&str> = lines.iter().map(|line| line[1]).collect();
    let place = |patient: &str| patients.iter().position(|known| *known == patient);
    let of = |number: usize| {
        let own = lines.iter().enumerate();
        let own =
            own.filter(move |(_, line)| place(line[1]).is_some_and(|at| at % share == number));
        let case = |(at, line): (usize, &Vec<&str>)| {
            let dicom = fs::read(data.join("nih-b").join(line[2])).expect("an image");
            let accession_number = format!("ZZ{at:06}");
            let [id, patient, label] = [line[0], line[1], line[3]].map(str::to_owned);
            let dicom = with_accession_number(&dicom, &accession_number);
            Case { id, patient, label, dicom, accession_number }
        };
        let hospital = Hospital {
            name: SITES[number],
            folder: work.join(SITES[number]),
            cases: own.map(case).collect(),
        };
        hospital.write();
        hospital
    };
    (0..SITES.len()).map(of).collect()
}

/// The file with an Accession Number (0008,0050), eight bytes long, in front of its modality.
fn with_accession_number(file: &[u8], number: &str) -> Vec<u8> {
    let modality = file.windows(6).position(|w| w == b"\x08\x00\x60\x00CS").expect("a modality");
    let element = [b"\x08\x00\x50\x00SH\x08\x00", number.as_bytes()].concat();
    [&file[..modality], &element, &file[modality..]].concat()
}

const SOP_INSTANCE_UID: [u8; 4] = *b"\x08\x00\x18\x00";
const STUDY_INSTANCE_UID: [u8; 4] = *b"\x20\x00\x0d\x00";

/// The value of a UID in explicit little endian.
fn uid(file: &[u8], tag: [u8; 4]) -> String {
    let start = [&tag, &b"UI"[..]].concat();
    let at = file.windows(6).position(|window| window == start).expect("a UID") + 6;
    let length = usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
    let value = &file[at + 2..at + 2 + length];
    String::from_utf8(value.to_vec()).expect("ASCII").trim_end_matches('\0').to_owned()
}

impl Hospital {
    fn write(&self) {
        fs::create_dir_all(&self.folder).expect("a writable folder");
        for case in &self.cases {
            let file = self.folder.join(format!("{}.dcm", case.id));
            fs::write(file, &case.dicom).expect("a writable folder");
        }
        self.write_manifest("manifest.csv", |case| format!("{}.dcm", case.id));
    }

    fn write_manifest(&self, name: &str, image: impl Fn(&Case) -> String) -> PathBuf {
        let mut manifest = "case_id,patient_id,image,label\n".to_owned();
        for case in &self.cases {
            let Case { id, patient, label, .. } = case;
            writeln!(manifest, "{id},{patient},{},{label}", image(case)).expect("text");
        }
        let file = self.folder.join(name);
        fs::write(&file, manifest).expect("a writable folder");
        file
    }

    /// The same cases, with what `find_by` says in the place of the path.
    fn write_pacs_manifest(&self, find_by: &str) -> PathBuf {
        self.write_manifest("pacs.csv", |case| match find_by {
            "sop_instance_uid" => uid(&case.dicom, SOP_INSTANCE_UID),
            "study_instance_uid" => uid(&case.dicom, STUDY_INSTANCE_UID),
            _ => case.accession_number.clone(),
        })
    }

    /// Puts all images of this hospital into a PACS.
    ///
    /// # Panics
    ///
    /// If it does not take them.
    pub fn fill(&self, pacs: &Orthanc) {
        self.cases.iter().for_each(|case| pacs.store(&case.dicom));
    }

    /// Leaves nothing but the PACS with the images, and lets the site read from there: `table` is what
    /// its configuration then says.
    ///
    /// # Panics
    ///
    /// If a file cannot be changed.
    pub fn move_to_pacs(&self, site: &Site, find_by: &str, table: &str) {
        for case in &self.cases {
            let _ = fs::remove_file(self.folder.join(format!("{}.dcm", case.id)));
        }
        let file = site.home.join("agent.toml");
        let text = fs::read_to_string(&file).expect("a configuration");
        let manifest = self.write_pacs_manifest(find_by);
        let is_kept = |line: &&str| !line.starts_with("root") && !line.starts_with("man");
        let kept: Vec<&str> = text.lines().filter(is_kept).collect();
        let text = format!(
            "{}\nmanifest = \"{}\"\n{table}\nfind_by = \"{find_by}\"\nmodality = \"CR\"\n\
             requests_per_second = 1000.0\n",
            kept.join("\n"),
            manifest.display(),
        );
        fs::write(file, text).expect("a writable folder");
    }

    /// Neither what the manifest holds nor what the PACS adds to it, nor `secrets`, has left the site,
    /// and nothing of the PACS stays on the disk but what the checkpoints need.
    ///
    /// # Panics
    ///
    /// If something did.
    pub fn check_egress(&self, consortium: &Consortium, site: &Site, out: &Path, secrets: &[&str]) {
        let canaries = Canaries::of_site(&self.folder);
        let mut words: Vec<String> = secrets.iter().map(|&word| word.to_owned()).collect();
        for case in &self.cases {
            words.push(case.accession_number.clone());
            words.extend([SOP_INSTANCE_UID, STUDY_INSTANCE_UID].map(|tag| uid(&case.dicom, tag)));
        }
        let outgoing = site.outgoing();
        assert!(outgoing.len() > 1000, "the recorder saw what {} sent", site.name);
        let reports = files_below(out).into_iter().map(|(_, bytes)| bytes);
        for bytes in reports.chain([outgoing, consortium.log()]) {
            assert_eq!(canaries.found_in(&bytes), Vec::<&str>::new(), "{}", site.name);
            assert_eq!(words.iter().find(|word| stands_in(word, &bytes)), None, "{}", site.name);
        }
        for (name, bytes) in files_below(&site.home) {
            assert!(!stands_in("ZZCANARY^PATIENT", &bytes), "{name} holds an image");
        }
    }
}

/// A consortium with the agents of these hospitals, which do not run yet.
#[must_use]
pub fn enrolled(hospitals: &[Hospital]) -> (Consortium, Vec<Site>) {
    let consortium = Consortium::start();
    let enrol = |hospital: &Hospital| consortium.enrol(hospital.name, &hospital.folder);
    let sites = hospitals.iter().map(enrol).collect();
    (consortium, sites)
}

/// Locks the study, lets the agents run it, and dispatches it.
///
/// # Panics
///
/// If anything is refused.
pub fn dispatch(consortium: &Consortium, sites: &mut [Site], data: &Path) {
    let study = small_site::image_study(STUDY, &data.join("pneumonia.onnx"), 256);
    let protocol = consortium.lock(STUDY, &study);
    for site in sites.iter_mut() {
        site.sign_policy(&[&protocol]);
        site.run();
    }
    consortium.fedval(&["study", "dispatch", STUDY, "--json"]).json();
}

/// Where the report lies when all have answered, and what it says.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn report(consortium: &Consortium) -> (PathBuf, Value) {
    consortium.until_answered(STUDY);
    consortium.fedval(&["study", "close", STUDY, "--json"]).json();
    consortium.report(STUDY)
}

/// Everything that was computed; not who signed it when.
fn numbers(report: &Value) -> Value {
    let all = ["sites", "synthesis", "operating_points", "subgroups", "verdicts"];
    let mut numbers: Value = all.iter().map(|part| (*part, report[*part].clone())).collect();
    let sites = numbers["sites"].as_array_mut().expect("a list");
    for site in sites {
        let site = site.as_object_mut().expect("an object");
        // A commitment is under a secret of the site's own.
        for of_the_run in ["result", "dispatched_at", "recorded_at", "cohort"] {
            site.remove(of_the_run);
        }
    }
    numbers
}

/// Where what was computed differs, with what stands there.
///
/// # Panics
///
/// If a report has no list of sites.
#[must_use]
pub fn differences(one: &Value, other: &Value) -> Vec<String> {
    let mut differing = Vec::new();
    compare("", &numbers(one), &numbers(other), &mut differing);
    differing
}

fn compare(place: &str, one: &Value, other: &Value, differing: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            for (key, value) in one {
                compare(&format!("{place}/{key}"), value, &other[key], differing);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{place}/{index}"), one, other, differing);
            }
        }
        _ if one == other => {}
        _ => differing.push(format!("{place}: {one} and {other}")),
    }
}
