//! What lies in a hospital's folder.

use std::collections::BTreeMap;
use std::fs;

use dicom_dictionary_std::tags;
use fedval_demo::hospital::{
    CANARY, HILLSIDE_CLINIC, Hospital, NORTHGATE, Patient, RIVERSIDE, ST_BRIGID, patient_of,
    write_cohort,
};

/// Smallest k of the study, in patients.
const K: u32 = 11;

/// A few of a hospital's patients: enough for what a file says.
fn few(hospital: Hospital) -> Hospital {
    let population = fedval_demo::hospital::Population { patients: 14, ..hospital.population };
    Hospital { population, ..hospital }
}

#[test]
fn files_are_dicom_with_the_canary_in_every_identity() {
    let folder = tempfile::tempdir().unwrap();
    let cohort = write_cohort(&few(ST_BRIGID), folder.path(), &|| ()).unwrap();
    let manifest = fs::read_to_string(cohort.manifest).unwrap();
    let mut lines = manifest.lines();
    assert_eq!(lines.next(), Some("case_id,patient_id,image,label"));
    let mut bits = BTreeMap::<String, u32>::new();
    for line in lines {
        let [_, patient, image, label] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert!(patient.starts_with(CANARY) && matches!(label, "0" | "1"), "{line}");
        let object = dicom_object::open_file(folder.path().join(image)).unwrap();
        let text = |tag| object.element(tag).unwrap().to_str().unwrap().into_owned();
        assert!(text(tags::PATIENT_NAME).starts_with("ZZCANARY^"));
        assert_eq!(text(tags::PATIENT_ID), patient);
        assert_eq!(text(tags::PATIENT_AGE).len(), 4);
        let stored: u32 = object.element(tags::BITS_STORED).unwrap().to_int().unwrap();
        let bytes = object.element(tags::PIXEL_DATA).unwrap().to_bytes().unwrap().len();
        assert_eq!(bytes, 96 * 96 * if stored > 8 { 2 } else { 1 });
        *bits.entry(text(tags::PHOTOMETRIC_INTERPRETATION)).or_default() |= stored;
    }
    // The old scanner stores 8 bits with white low, the newer one 12 with white high.
    assert_eq!(bits, BTreeMap::from([("MONOCHROME1".into(), 8), ("MONOCHROME2".into(), 12)]));
}

#[test]
fn the_same_seed_makes_the_same_files() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let hospital = few(NORTHGATE);
    for folder in &folders {
        write_cohort(&hospital, folder.path(), &|| ()).unwrap();
    }
    let [first, second] = folders.each_ref().map(|folder| {
        let files = fs::read_dir(folder.path().join("images")).unwrap();
        files
            .map(|file| file.unwrap())
            .map(|file| (file.file_name(), fs::read(file.path()).unwrap()))
            .collect::<BTreeMap<_, _>>()
    });
    assert!(first.len() >= 14);
    assert!(first == second, "two runs differ");
}

#[test]
fn a_damaged_file_is_shorter_than_its_pixels() {
    let folder = tempfile::tempdir().unwrap();
    write_cohort(&few(RIVERSIDE), folder.path(), &|| ()).unwrap();
    let length = |name: &str| fs::metadata(folder.path().join("images").join(name)).unwrap().len();
    assert!(length("0012-1.dcm") < 2 * 96 * 96);
    assert!(length("0013-1.dcm") > 2 * 96 * 96);
}

/// Patients without and with a lesion in each group.
fn groups(
    hospital: &Hospital,
    group: impl Fn(&Patient, &str) -> String,
) -> BTreeMap<String, [u32; 2]> {
    let mut groups = BTreeMap::<String, [u32; 2]>::new();
    for number in 0..hospital.population.patients {
        if hospital.damaged.contains(&number) || hospital.unlabelled.contains(&number) {
            continue;
        }
        let (patient, scanner) = patient_of(hospital, number);
        let label = usize::from(patient.lesion_contrast.is_some());
        groups.entry(group(&patient, scanner.manufacturer)).or_default()[label] += 1;
    }
    groups
}

fn band(patient: &Patient) -> &'static str {
    match patient.age_years {
        0..50 => "under-50",
        50..65 => "50-to-64",
        _ => "65-and-over",
    }
}

#[test]
fn only_riversides_islanders_are_too_few_to_be_shown() {
    for (hospital, k) in [(NORTHGATE, 15), (RIVERSIDE, K), (ST_BRIGID, K)] {
        let dimensions = [
            groups(&hospital, |patient, _| patient.sex.as_str().to_owned()),
            groups(&hospital, |patient, _| band(patient).to_owned()),
            groups(&hospital, |patient, _| patient.ethnic_group.to_owned()),
            groups(&hospital, |_, manufacturer| manufacturer.to_owned()),
        ];
        for (name, counts) in dimensions.into_iter().flatten() {
            let too_few = counts.iter().any(|count| *count < k);
            let expected = hospital.id == "riverside" && name == "Island";
            assert_eq!(too_few, expected, "{} {name} {counts:?}", hospital.id);
        }
    }
}

#[test]
fn hillside_is_below_every_cohort_minimum() {
    let patients: u32 = groups(&HILLSIDE_CLINIC, |_, _| String::new())[""].iter().sum();
    assert!(patients < 2 * K);
}
