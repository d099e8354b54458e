//! A table of scores that were made elsewhere, read by several processes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::consortium::Consortium;
use fedval_tests::dice::Dice;
use fedval_tests::small_site;

use crate::{check_same, dispatch, report, shard, until_asked};

const STUDY: &str = "scores";
const PATIENTS: u32 = 200;

/// Patients with two images each, of whom every second has the condition.
fn write(folder: &Path) {
    fs::create_dir_all(folder).expect("a writable folder");
    let (mut dice, mut table) = (Dice(5), "case_id,patient_id,score,label\n".to_owned());
    for patient in 0..PATIENTS {
        let label = patient % 2;
        for image in 0..2 {
            let score = dice.rounded(0.05, 0.75, 1000.0) + 0.2 * f64::from(label);
            writeln!(table, "CASEX{patient}I{image},PATIENTX{patient},{score},{label}")
                .expect("text");
        }
    }
    fs::write(folder.join("manifest.csv"), table).expect("a writable folder");
}

#[test]
fn a_table_that_two_processes_read_gives_the_numbers_of_one_agent() {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"a model that nobody runs").expect("a writable folder");
    let data = consortium.path("data");
    write(&data);
    let [mut alone, mut split] = ["alone", "split"].map(|name| consortium.enrol(name, &data));
    split.configure_also("shards = 2\n");
    for site in [&alone, &split] {
        site.configure_also("[data_sources.columns]\nscore = \"score\"\n");
    }
    let study = small_site::study(STUDY, &model)
        .replace("[model]\n", "prediction_tables = \"accept\"\n[model]\n");
    dispatch(&consortium, STUDY, &study, [&mut alone, &mut split]);
    until_asked(&split);
    for index in ["0", "1"] {
        let (code, said) = shard(&split, STUDY, index, "2");
        assert_eq!(code, 0, "{said}");
    }
    let report = report(&consortium, STUDY);
    check_same(&report, &["n_pos", "n_neg", "operating_points", "scores"]);
    let sites = report["sites"].as_array().expect("a list");
    assert!(sites.iter().all(|site| site["scores"] == "prediction_table"));
    assert!(sites.iter().all(|site| site["n"] == PATIENTS), "one unit of analysis a patient");
}
