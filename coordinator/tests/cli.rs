//! The command line: what it refuses, how it says so, and what scripts read.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod server;
#[path = "../../common/study/tests/support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use server::{Coordinator, arg, write_study};
use support::{MODEL, STUDY};

/// The line of `needle` in a text, from 1.
fn line_of(text: &str, needle: &str) -> usize {
    text.lines().position(|line| line.contains(needle)).unwrap() + 1
}

#[test]
fn a_broken_study_file_lists_every_problem_with_its_line() {
    let coordinator = Coordinator::init();
    let broken = STUDY
        .replace("threshold = 0.5", "threshold = 1.5")
        .replace("unit = \"image\"", "unit = \"eye\"")
        .replace("k = 11", "k = 2\ncolour = \"red\"");
    let file = write_study(&coordinator.beside("study"), &broken, MODEL);
    let said = coordinator.run(&["study", "create", arg(&file)]).refused(2, "STUDY_INVALID");
    assert!(said.contains("the study has 4 problems"), "{said}");
    for (path, needle) in [
        ("analysis.unit", "unit = \"eye\""),
        ("operating_points[1].threshold", "threshold = 1.5"),
        ("disclosure.k", "k = 2"),
        ("disclosure.colour", "colour"),
    ] {
        let expected = format!("line {}: {path}:", line_of(&broken, needle));
        assert!(said.contains(&expected), "no `{expected}` in {said}");
    }
    assert!(said.contains("hint: "), "{said}");
}

#[test]
fn a_study_whose_files_are_absent_is_refused_by_the_path() {
    let coordinator = Coordinator::init();
    let absent = coordinator.beside("absent.toml");
    let said = coordinator.run(&["study", "create", arg(&absent)]).refused(2, "FILE_UNREADABLE");
    assert!(said.contains("absent.toml"), "{said}");
    let file = write_study(&coordinator.beside("study"), STUDY, MODEL);
    fs::remove_file(file.with_file_name("cnn.onnx")).unwrap();
    let said = coordinator.run(&["study", "create", arg(&file)]).refused(2, "FILE_UNREADABLE");
    assert!(said.contains("cnn.onnx"), "{said}");
}

/// The plan of the statistician's guide, word for word.
fn guide_plan() -> String {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/docs/statistician.md");
    let guide = fs::read_to_string(guide).unwrap();
    let (_, from) = guide.split_once("```toml\nprevalence").unwrap();
    format!("prevalence{}", from.split_once("```").unwrap().0)
}

#[test]
fn the_guides_plan_gives_sizes_without_a_coordinator() {
    let coordinator = Coordinator::init();
    let file = coordinator.beside("plan.toml");
    fs::write(&file, guide_plan()).unwrap();
    let plan = coordinator.json(&["study", "plan", arg(&file)]);
    let quantities = plan["quantities"].as_array().unwrap();
    let cases = |quantity: &str| {
        let found = quantities.iter().find(|size| size["quantity"] == quantity).unwrap();
        found["cases"].as_u64().unwrap()
    };
    // Worked out by hand from the formulas of Riley et al. (2021) and Wilson's.
    assert_eq!(cases("auroc"), 644);
    assert_eq!(cases("sensitivity"), 1410);
    assert_eq!(plan["cases"], 1483);
    let sites = plan["prediction_interval"].as_array().unwrap();
    assert!(sites[0]["sites"].as_u64() > sites[3]["sites"].as_u64());
}

#[test]
fn a_plan_that_cannot_be_worked_out_says_what_is_wrong() {
    let coordinator = Coordinator::init();
    let file = coordinator.beside("plan.toml");
    let plan = guide_plan();
    for (from, to, what) in [
        ("expected = 0.85", "expected = 1.85", "auroc"),
        ("prevalence = 0.1", "prevalance = 0.1", "prevalance"),
        ("width = 0.1", "width = 1e-12", "no number of cases or sites"),
        ("prevalence = 0.1", "prevalence = 0.0", "contradicts itself"),
    ] {
        fs::write(&file, plan.replacen(from, to, 1)).unwrap();
        let said = coordinator.run(&["study", "plan", arg(&file)]).refused(2, "PLAN_INVALID");
        assert!(said.contains(what), "{said}");
    }
    fs::write(&file, "prevalence = 0.1").unwrap();
    let said = coordinator.run(&["study", "plan", arg(&file)]).refused(2, "PLAN_INVALID");
    assert!(said.contains("asks for no precision"), "{said}");
}

#[test]
fn a_server_that_does_not_run_is_unreachable_and_the_hint_starts_it() {
    let coordinator = Coordinator::init();
    let file = write_study(&coordinator.beside("study"), STUDY, MODEL);
    let out = coordinator.beside("out");
    for command in [
        &["site", "list"][..],
        &["site", "invite", "site-a"],
        &["site", "revoke", "site-a"],
        &["study", "list"],
        &["study", "create", arg(&file)],
        &["study", "lock", "chest"],
        &["study", "dispatch", "chest"],
        &["study", "status", "chest"],
        &["study", "close", "chest"],
        &["report", "build", "chest", "--out", arg(&out)],
    ] {
        let said = coordinator.run(command).refused(3, "COORDINATOR_UNREACHABLE");
        assert!(said.contains("hint: start it with `fedval serve`"), "{command:?}: {said}");
    }
    assert!(!out.exists(), "nothing is written before there is something to write");
}

#[test]
fn a_folder_without_a_coordinator_says_how_to_make_one() {
    let coordinator = Coordinator::init();
    fs::remove_file(coordinator.home().join("fedval.toml")).unwrap();
    for command in [&["serve"][..], &["site", "list"]] {
        let said = coordinator.run(command).refused(2, "HOME_NOT_INITIALISED");
        assert!(said.contains("fedval init"), "{said}");
    }
}

#[test]
fn a_configuration_with_an_unknown_key_is_refused() {
    let coordinator = Coordinator::init();
    let file = coordinator.home().join("fedval.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}debug = true\n")).unwrap();
    coordinator.run(&["serve"]).refused(2, "CONFIG_INVALID");
}

#[test]
fn a_second_init_changes_nothing() {
    let coordinator = Coordinator::init();
    let key = coordinator.home().join("pki/root.key");
    let before = fs::read(&key).unwrap();
    coordinator.run(&["init"]).refused(2, "HOME_EXISTS");
    assert_eq!(fs::read(&key).unwrap(), before);
}

#[test]
fn keys_are_for_their_owner_alone() {
    let coordinator = Coordinator::init();
    let mode = |path: &str| {
        let metadata = fs::metadata(coordinator.home().join(path)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!((mode(""), mode("pki")), (0o700, 0o700));
    for name in ["root", "server", "coordinator", "sponsor", "operator"] {
        assert_eq!(mode(&format!("pki/{name}.key")), 0o600, "{name}");
    }
}

#[test]
fn a_folder_that_is_no_package_does_not_verify() {
    let coordinator = Coordinator::init();
    let folder = coordinator.beside("package");
    coordinator.run(&["verify", arg(&folder)]).refused(2, "PACKAGE_UNREADABLE");
    fs::create_dir(&folder).unwrap();
    coordinator.run(&["verify", arg(&folder)]).refused(1, "VERIFICATION_FAILED");
    fs::write(folder.join("report.json"), "{}").unwrap();
    fs::write(folder.join("holiday.jpg"), [0xff, 0xd8]).unwrap();
    let ran = coordinator.run(&["--json", "verify", arg(&folder)]);
    assert_eq!(ran.code(), 1);
    let said: Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!((&said["holds"], &said["root_is_pinned"]), (&false.into(), &false.into()));
    let error: Value = serde_json::from_str(&ran.stderr()).unwrap();
    assert_eq!(error["code"], "VERIFICATION_FAILED");
    let no_root = coordinator.run(&["verify", arg(&folder), "--root", "abc"]);
    no_root.refused(2, "ROOT_UNREADABLE");
}

#[test]
fn a_report_is_never_written_into_a_folder_that_holds_something() {
    let coordinator = Coordinator::init();
    let out = coordinator.beside("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("diary.txt"), "mine").unwrap();
    let said = coordinator.run(&["report", "build", "chest", "--out", arg(&out)]);
    said.refused(2, "OUT_NOT_EMPTY");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
}

#[test]
fn a_wrong_command_line_exits_2_and_help_exits_0() {
    let coordinator = Coordinator::init();
    for wrong in [
        &["study", "lock"][..],
        &["site", "invite", "Site A"],
        &["site", "invite", "site-a", "--hours", "soon"],
        &["teleport"],
        &[],
    ] {
        assert_eq!(coordinator.run(wrong).code(), 2, "{wrong:?}");
    }
    for right in [&["--help"][..], &["study", "--help"], &["--version"]] {
        assert!(!coordinator.run(right).done().is_empty());
    }
}

#[test]
fn a_failure_as_json_is_one_object_with_code_and_remedy() {
    let coordinator = Coordinator::init();
    let ran = coordinator.run(&["--json", "study", "list"]);
    assert_eq!((ran.code(), ran.stdout().as_str()), (3, ""));
    let said: Value = serde_json::from_str(&ran.stderr()).unwrap();
    assert_eq!(said["code"], "COORDINATOR_UNREACHABLE");
    assert!(said["remedy"].is_string() && said["error"].is_string());
}

#[test]
fn a_refusal_of_the_server_keeps_its_code_and_remedy() {
    let coordinator = Coordinator::serve();
    let out = coordinator.beside("out");
    for (command, code) in [
        (&["study", "status", "none"][..], "STUDY_NOT_FOUND"),
        (&["study", "lock", "none"], "STUDY_NOT_FOUND"),
        (&["study", "dispatch", "none"], "STUDY_NOT_FOUND"),
        (&["study", "close", "none"], "ROUND_NOT_OPEN"),
        (&["site", "revoke", "none"], "SITE_NOT_FOUND"),
        (&["site", "invite", "site-a", "--hours", "73"], "INVITATION_LIFE"),
        (&["report", "build", "none", "--out", arg(&out)], "STUDY_NOT_FOUND"),
    ] {
        let said = coordinator.run(command).refused(2, code);
        assert!(said.contains("hint: "), "{command:?}: {said}");
    }
    let file = write_study(&coordinator.beside("study"), STUDY, MODEL);
    coordinator.run(&["study", "create", arg(&file)]).done();
    coordinator.run(&["study", "dispatch", "chest"]).refused(2, "STUDY_NOT_LOCKED");
    coordinator.run(&["study", "lock", "chest"]).done();
    coordinator.run(&["study", "dispatch", "chest"]).refused(2, "NO_SITES");
    fs::write(&file, STUDY.replace("limit = 0.7", "limit = 0.6")).unwrap();
    coordinator.run(&["study", "create", arg(&file)]).refused(2, "STUDY_LOCKED");
}

#[test]
fn a_second_server_on_the_same_port_is_refused() {
    let coordinator = Coordinator::serve();
    coordinator.run(&["serve"]).refused(5, "LISTEN");
}

#[test]
fn every_answer_to_a_script_is_one_json_object() {
    let coordinator = Coordinator::serve();
    let invited = coordinator.json(&["site", "invite", "site-a"]);
    assert_eq!(invited["site"], "site-a");
    assert!(invited["token"].as_str().unwrap().starts_with("fv1-"));
    let root = coordinator.root().fingerprint().to_string();
    assert_eq!(invited["root_fingerprint"], root);
    assert_eq!(coordinator.json(&["site", "list"])["sites"][0]["state"], "invited");
    assert_eq!(coordinator.json(&["site", "revoke", "site-a"])["state"], "revoked");
    assert_eq!(coordinator.json(&["study", "list"])["studies"], Value::Array(Vec::new()));
    let file = write_study(&coordinator.beside("study"), STUDY, MODEL);
    let created = coordinator.json(&["study", "create", arg(&file)]);
    assert_eq!((&created["study"], &created["state"]), (&"chest".into(), &"draft".into()));
    let locked = coordinator.json(&["study", "lock", "chest"]);
    assert_eq!(locked["protocol_digest"], created["protocol_digest"]);
    let status = coordinator.json(&["study", "status", "chest"]);
    assert_eq!((&status["state"], &status["rounds"]), (&"locked".into(), &Value::Array(vec![])));
    let listed = coordinator.json(&["study", "list"]);
    assert_eq!(listed["studies"][0]["protocol_digest"], created["protocol_digest"]);
}
