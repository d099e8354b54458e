//! Three hospitals whose images lie in a PACS – Orthanc, with and without a password – give the numbers
//! that the same images give from a folder.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fedval_tests::canary::{Canaries, files_below};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::orthanc::{self, Orthanc, PASSWORD};
use fedval_tests::{shared, small_site};
use serde_json::Value;
use tempfile::TempDir;

const STUDY: &str = "cxr";
const SITES: [&str; 3] = ["north", "south", "west"];
/// How each hospital's manifest names its images.
const FIND_BY: [&str; 3] = ["sop_instance_uid", "study_instance_uid", "accession_number"];

/// A third of the patients with all their images, as a folder.
struct Hospital {
    name: &'static str,
    folder: PathBuf,
    cases: Vec<Case>,
}

struct Case {
    id: String,
    patient: String,
    label: String,
    /// The file, in the third hospital with an accession number.
    dicom: Vec<u8>,
    accession_number: String,
}

fn hospitals(data: &Path, work: &Path) -> Vec<Hospital> {
    let manifest = fs::read_to_string(data.join("nih-b/manifest.csv")).expect("a manifest");
    let lines: Vec<Vec<&str>> =
        manifest.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let patients: BTreeSet<&str> = lines.iter().map(|line| line[1]).collect();
    let place = |patient: &str| patients.iter().position(|known| *known == patient);
    let of = |number: usize| {
        let own = lines.iter().enumerate();
        let own = own.filter(move |(_, line)| place(line[1]).is_some_and(|at| at % 3 == number));
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

    /// A PACS with all images of this hospital.
    fn pacs(&self, asks_for_password: bool) -> Orthanc {
        let pacs = Orthanc::start(asks_for_password);
        self.cases.iter().for_each(|case| pacs.store(&case.dicom));
        pacs
    }
}

/// Reads from the PACS in the place of the folder.
fn read_from(site: &Site, hospital: &Hospital, pacs: &Orthanc, find_by: &str, password: &str) {
    let file = site.home.join("agent.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    let manifest = hospital.write_pacs_manifest(find_by);
    let kept: Vec<&str> =
        text.lines().filter(|line| !line.starts_with("root") && !line.starts_with("man")).collect();
    let text = format!(
        "{}\nmanifest = \"{}\"\n[data_sources.pacs]\nurl = \"{}\"\nfind_by = \"{find_by}\"\n\
         credentials = \"{}\"\nmodality = \"CR\"\nrequests_per_second = 1000.0\n",
        kept.join("\n"),
        manifest.display(),
        pacs.url(),
        pacs.credentials(password).display(),
    );
    fs::write(file, text).expect("a writable folder");
}

fn enrolled(hospitals: &[Hospital]) -> (Consortium, Vec<Site>) {
    let consortium = Consortium::start();
    let enrol = |hospital: &Hospital| consortium.enrol(hospital.name, &hospital.folder);
    let sites = hospitals.iter().map(enrol).collect();
    (consortium, sites)
}

fn dispatch(consortium: &Consortium, sites: &mut [Site], data: &Path) {
    let study = small_site::image_study(STUDY, &data.join("pneumonia.onnx"), 256);
    let protocol = consortium.lock(STUDY, &study);
    for site in sites.iter_mut() {
        site.sign_policy(&[&protocol]);
        site.run();
    }
    consortium.fedval(&["study", "dispatch", STUDY, "--json"]).json();
}

fn report(consortium: &Consortium) -> (PathBuf, Value) {
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

/// Where two reports differ, with what stands there.
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

#[test]
fn three_pacs_give_the_numbers_of_three_folders_and_nothing_of_a_patient_leaves() {
    let Some(data) = shared::folder("data/cxr") else { return };
    if !orthanc::is_there() {
        return;
    }
    let work = TempDir::new().expect("a temporary folder");
    let hospitals = hospitals(&data, work.path());

    let (consortium, mut sites) = enrolled(&hospitals);
    dispatch(&consortium, &mut sites, &data);
    let (_, from_folders) = report(&consortium);
    drop((sites, consortium));
    let listed = from_folders["sites"].as_array().expect("a list");
    assert!(listed.iter().all(|site| site["status"] == "released"), "{listed:?}");

    // The first PACS lets everybody in, who may show a password all the same.
    let pacs: Vec<Orthanc> = [false, true, true]
        .into_iter()
        .zip(&hospitals)
        .map(|(asks, hospital)| hospital.pacs(asks))
        .collect();
    let (consortium, mut sites) = enrolled(&hospitals);
    for (((site, hospital), pacs), find_by) in sites.iter().zip(&hospitals).zip(&pacs).zip(FIND_BY)
    {
        // Nothing but the PACS has the images.
        for case in &hospital.cases {
            fs::remove_file(hospital.folder.join(format!("{}.dcm", case.id))).expect("a file");
        }
        read_from(site, hospital, pacs, find_by, PASSWORD);
        let check = site.agent(&["check", "--json"]);
        assert!(check.out.contains("the PACS answers"), "{}{}", check.out, check.err);
    }
    dispatch(&consortium, &mut sites, &data);
    let (out, from_pacs) = report(&consortium);

    let (from_pacs, from_folders) = (numbers(&from_pacs), numbers(&from_folders));
    let mut differing = Vec::new();
    compare("", &from_pacs, &from_folders, &mut differing);
    assert_eq!(differing, Vec::<String>::new());
    check_egress(&consortium, &sites, &hospitals, &out);
}

/// Neither what the manifests hold nor what the PACS adds to it.
fn check_egress(consortium: &Consortium, sites: &[Site], hospitals: &[Hospital], out: &Path) {
    for (site, hospital) in sites.iter().zip(hospitals) {
        let canaries = Canaries::of_site(&hospital.folder);
        let mut words: Vec<String> = vec![PASSWORD.to_owned()];
        for case in &hospital.cases {
            words.push(case.accession_number.clone());
            words.extend([SOP_INSTANCE_UID, STUDY_INSTANCE_UID].map(|tag| uid(&case.dicom, tag)));
        }
        let outgoing = site.outgoing();
        assert!(outgoing.len() > 1000, "the recorder saw what {} sent", site.name);
        let reports = files_below(out).into_iter().map(|(_, bytes)| bytes);
        for bytes in reports.chain([outgoing, consortium.log()]) {
            assert_eq!(canaries.found_in(&bytes), Vec::<&str>::new(), "{}", site.name);
            let found = |word: &&String| bytes.windows(word.len()).any(|w| w == word.as_bytes());
            assert_eq!(words.iter().find(found), None, "{}", site.name);
        }
        // Nothing of the PACS stays on the disk but what the checkpoints need.
        for (name, bytes) in files_below(&site.home) {
            let is_image = bytes.windows(16).any(|window| window == b"ZZCANARY^PATIENT");
            assert!(!is_image, "{name} holds an image");
        }
    }
}

#[test]
fn a36_a_password_that_is_wrong_holds_the_job_up_and_a_right_one_lets_it_go_on() {
    let Some(data) = shared::folder("data/cxr") else { return };
    if !orthanc::is_there() {
        return;
    }
    let work = TempDir::new().expect("a temporary folder");
    let hospitals = &hospitals(&data, work.path())[..1];
    let pacs = hospitals[0].pacs(true);
    let (consortium, mut sites) = enrolled(hospitals);
    read_from(&sites[0], &hospitals[0], &pacs, FIND_BY[0], "wrong");
    let check = sites[0].agent(&["check"]);
    assert_eq!(check.code, 1);
    assert!(check.out.contains("does not let this agent in"), "{}", check.out);

    dispatch(&consortium, &mut sites, &data);
    let delayed = |site: &Site, code: &str| {
        fedval_tests::consortium::until(code, || {
            let jobs = site.agent(&["jobs", "--json"]).json();
            (jobs["jobs"][0]["delay"] == code).then_some(())
        });
    };
    delayed(&sites[0], "PACS_REFUSED");
    assert_eq!(consortium.status(STUDY)["sites"][0]["status"], "missing", "nothing was answered");

    // At another time of day: nothing is evaluated then, though the password is right.
    sites[0].kill();
    let _ = pacs.credentials(PASSWORD);
    sites[0].configure_also(&format!("hours = \"{}\"\n", another_time()));
    sites[0].run();
    delayed(&sites[0], "PACS_OUTSIDE_HOURS");
    assert_eq!(consortium.status(STUDY)["sites"][0]["status"], "missing", "nothing was answered");

    sites[0].kill();
    let file = sites[0].home.join("agent.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    fs::write(&file, text.replace("hours = ", "# hours = ")).expect("a writable folder");
    sites[0].run();
    consortium.until_answered(STUDY);
    assert_eq!(consortium.status(STUDY)["sites"][0]["status"], "released");
}

/// An hour that begins eleven hours from now.
fn another_time() -> String {
    use fedval_ambient::{Clock as _, SystemClock};
    let hour = (SystemClock.minute_of_day() / 60 + 11) % 24;
    format!("{hour:02}:00-{:02}:00", (hour + 1) % 24)
}
