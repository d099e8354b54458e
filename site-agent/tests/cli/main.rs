//! The steward's commands, as a person or a script runs them.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod agent;
mod forbidden;
mod metrics;
mod network;
#[path = "../../../common/study/tests/support/mod.rs"]
mod study;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use agent::Machine;
use fedval_vault::{JobState, Vault};
use serde_json::Value;
use tokio::runtime::Runtime;

const NEEDS_ENROLMENT: [&[&str]; 15] = [
    &["run"],
    &["policy", "init"],
    &["policy", "sign"],
    &["policy", "show"],
    &["jobs"],
    &["show", "chest-r1"],
    &["approve", "chest-r1"],
    &["decline", "chest-r1"],
    &["preview", "chest-r1"],
    &["release", "chest-r1"],
    &["ledger", "show"],
    &["ledger", "show", "--cohort", "ab"],
    &["journal", "show"],
    &["journal", "verify"],
    &["jobs", "--json"],
];

#[test]
fn every_command_explains_itself() {
    let machine = Machine::empty();
    let commands = NEEDS_ENROLMENT.iter().map(|command| {
        command.iter().filter(|word| !word.starts_with("--") && **word != "ab").copied().collect()
    });
    for mut command in commands.chain([vec!["enrol"], vec!["check"], vec![]]) {
        command.push("--help");
        let ran = machine.run(&command);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.out.contains("Usage: fedval-agent") && ran.err.is_empty(), "{ran:?}");
    }
    assert_eq!(machine.run(&["publish"]).code, Some(2));
    assert_eq!(machine.run(&["approve", "../etc"]).code, Some(2), "a job is named by an id");
}

#[test]
fn a_machine_that_is_not_enrolled_is_told_how_to_become_a_site_and_nothing_is_left_on_it() {
    let machine = Machine::empty();
    for command in NEEDS_ENROLMENT {
        let ran = machine.run(command);
        assert_eq!(ran.code, Some(2), "{command:?}: {ran:?}");
        assert!(ran.err.contains("NOT_ENROLLED"), "{command:?}: {ran:?}");
        assert!(ran.err.contains("fedval-agent enrol"), "{command:?}: {ran:?}");
    }
    assert_eq!(fs::read_dir(machine.home()).unwrap().count(), 0);
}

#[test]
fn a_failure_as_json_has_code_and_remedy() {
    let ran = Machine::empty().run(&["jobs", "--json"]);
    let failure: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((&failure["code"], ran.out.as_str()), (&"NOT_ENROLLED".into(), ""));
    assert!(failure["remedy"].as_str().unwrap().contains("enrol"));
}

#[test]
fn an_enrolled_machine_is_not_enrolled_again_and_a_token_must_be_one() {
    let again = ["enrol", "--coordinator", "https://127.0.0.1:9", "--token", "x"];
    Machine::enrolled().run(&again).stops(2, "ALREADY_ENROLLED");
    let ran = Machine::empty().run(&again);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("hint: "), "{ran:?}");
}

#[test]
fn a_policy_is_written_signed_and_shown() {
    let machine = Machine::enrolled();
    machine.run(&["policy", "sign"]).stops(4, "POLICY_MISSING");
    assert_eq!(machine.run(&["policy", "init"]).code, Some(0));
    machine.run(&["policy", "init"]).stops(2, "POLICY_EXISTS");
    machine.run(&["policy", "show"]).stops(4, "POLICY_MISSING");
    let signed = machine.run(&["policy", "sign", "--json"]).json();
    let shown = machine.run(&["policy", "show", "--json"]).json();
    assert_eq!(signed["policy_digest"], shown["policy_digest"]);
    assert_eq!(shown["text"], fs::read_to_string(machine.path("policy.toml")).unwrap());
    for file in ["policy.toml", "policy.sig.json"] {
        let mode = fs::metadata(machine.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
}

#[test]
fn a_policy_that_was_changed_after_it_was_signed_is_none() {
    let machine = Machine::with_a_policy();
    machine.replace("policy.toml", "k = 11", "k = 10");
    machine.run(&["policy", "show"]).stops(4, "POLICY_MISSING");
    assert_eq!(machine.run(&["policy", "sign"]).code, Some(0));
    assert_eq!(machine.run(&["policy", "show"]).code, Some(0));
}

#[test]
fn a_signature_that_this_consortium_did_not_certify_does_not_count() {
    let (machine, other) = (Machine::with_a_policy(), Machine::with_a_policy_in(2));
    let signature = |machine: &Machine| fs::read_to_string(machine.path("policy.sig.json"));
    let own = signature(&machine).unwrap();
    machine.write("policy.sig.json", &signature(&other).unwrap());
    machine.run(&["policy", "show"]).stops(4, "POLICY_MISSING");
    machine.write("policy.sig.json", "[]");
    machine.run(&["policy", "show"]).stops(4, "POLICY_MISSING");
    machine.write("policy.sig.json", &own);
    assert_eq!(machine.run(&["policy", "show"]).code, Some(0));
}

#[test]
fn a_policy_that_no_site_may_have_is_not_signed() {
    for (from, to, code) in [
        ("k = 11", "k = 4", "POLICY_K_TOO_SMALL"),
        ("k = 11", "k = 11\nsubgroups = \"all\"", "POLICY_UNREADABLE"),
        ("profile = \"standard\"", "profile = \"none\"", "POLICY_UNREADABLE"),
    ] {
        let machine = Machine::enrolled();
        machine.run(&["policy", "init"]);
        machine.replace("policy.toml", from, to);
        machine.run(&["policy", "sign"]).stops(2, code);
        machine.run(&["policy", "show"]).stops(4, "POLICY_MISSING");
    }
}

#[test]
fn check_lists_every_problem_with_what_to_do_about_it() {
    let machine = Machine::enrolled();
    let ran = machine.run(&["check", "--study", "chest", "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let checks = ran.json();
    let found: Vec<(&str, Option<bool>, &str)> = checks["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            let text = |key: &str| check[key].as_str().unwrap_or_default();
            let holds = check["holds"].as_bool();
            assert_eq!(holds == Some(false), !text("remedy").is_empty(), "{check}");
            assert_eq!(holds == Some(false), text("note").is_empty(), "{check}");
            (text("check"), holds, text("code"))
        })
        .collect();
    assert_eq!(
        found,
        [
            ("enrolment", Some(true), ""),
            ("configuration", Some(true), ""),
            ("certificate", Some(true), ""),
            ("policy", Some(false), "POLICY_MISSING"),
            ("disk", Some(true), ""),
            ("vault and journal", Some(true), ""),
            ("sandbox", Some(true), ""),
            ("engine", Some(true), ""),
            ("name", Some(true), ""),
            ("port", Some(false), "COORDINATOR_UNREACHABLE"),
            ("proxy", None, ""),
            ("TLS", None, ""),
            ("clock", None, ""),
            ("coordinator", None, ""),
            ("data source radiology", Some(false), "DISK"),
            ("data source", Some(false), "STUDY_NOT_FOUND"),
            ("what the model would see", None, ""),
            ("cases", Some(true), ""),
        ]
    );
    let table = machine.run(&["check"]).out;
    assert!(table.contains("fedval-agent policy init"), "{table}");
}

#[test]
fn check_on_an_empty_machine_says_where_to_begin() {
    let checks = Machine::empty().run(&["check", "--json"]).json();
    assert_eq!(checks["checks"][0]["code"], "NOT_ENROLLED");
}

#[test]
fn an_unknown_key_of_the_configuration_is_refused_with_its_line() {
    let machine = Machine::enrolled();
    machine.replace("agent.toml", "lanes = 1", "lanes = 1\nlane = 2");
    let text = fs::read_to_string(machine.path("agent.toml")).unwrap();
    let line = 1 + text.lines().position(|line| line == "lane = 2").unwrap();
    let ran = machine.run(&["run"]);
    ran.stops(2, "CONFIG_INVALID");
    assert!(ran.err.contains(&format!("line {line}")), "{ran:?}");
    assert!(ran.err.contains("unknown field `lane`"), "{ran:?}");
}

#[test]
fn a_damaged_identity_is_said_to_be_one() {
    let machine = Machine::enrolled();
    machine.write("site.key", "no key");
    machine.run(&["policy", "show"]).stops(5, "IDENTITY_DAMAGED");
}

#[test]
fn a_fresh_site_has_no_jobs_and_told_nobody_anything() {
    let machine = Machine::enrolled();
    assert_eq!(machine.run(&["jobs", "--json"]).json()["jobs"], Value::Array(Vec::new()));
    assert_eq!(machine.run(&["jobs"]).out, "No job was dispatched to this site.\n");
    assert_eq!(machine.run(&["ledger", "show"]).out, "Nothing ever left this site.\n");
    let verified = machine.run(&["journal", "verify", "--json"]).json();
    assert_eq!((&verified["holds"], &verified["entries"]), (&true.into(), &0.into()));
    for command in ["show", "approve", "decline", "preview", "release"] {
        machine.run(&[command, "chest-r1"]).stops(2, "JOB_NOT_FOUND");
    }
}

#[test]
fn an_offered_job_is_shown_and_approved_once() {
    let machine = Machine::with_a_job(JobState::Offered);
    let shown = machine.run(&["show", "chest-r1", "--json"]).json();
    assert_eq!((&shown["state"], &shown["protocol"]["id"]), (&"offered".into(), &"chest".into()));
    machine.run(&["preview", "chest-r1"]).stops(2, "NOTHING_TO_PREVIEW");
    machine.run(&["release", "chest-r1"]).stops(2, "JOB_STATE");
    assert_eq!(machine.run(&["approve", "chest-r1"]).code, Some(0));
    assert_eq!(machine.state(), "approved");
    machine.run(&["approve", "chest-r1"]).stops(2, "JOB_STATE");
}

#[test]
fn a_job_can_be_declined_until_it_is_answered_also_while_it_runs() {
    use JobState::{Approved, AwaitingRelease, Offered, Running};
    for state in [Offered, Approved, Running, AwaitingRelease] {
        let machine = Machine::with_a_job(state);
        assert_eq!(machine.run(&["decline", "chest-r1"]).code, Some(0));
        assert_eq!(machine.state(), "released");
        let ledger = machine.run(&["ledger", "show", "--json"]).json();
        let [entry] = &ledger["ledger"].as_array().unwrap()[..] else { panic!("{ledger}") };
        assert_eq!((&entry["outcome"], &entry["cohort"]), (&"refused".into(), &"".into()));
        assert_eq!(entry["approver"], "steward");
        machine.run(&["decline", "chest-r1"]).stops(2, "JOB_STATE");
        machine.run(&["release", "chest-r1"]).stops(2, "JOB_STATE");
    }
}

#[test]
fn where_two_persons_must_look_who_let_a_job_run_does_not_release_it() {
    let machine = Machine::with_a_job(JobState::Offered);
    let policy = "profile = \"standard\"\nk = 11\ntwo_persons = true\n";
    machine.write("policy.toml", policy);
    assert_eq!(machine.run(&["policy", "sign"]).code, Some(0));
    assert_eq!(machine.run(&["approve", "chest-r1", "--by", "ada"]).code, Some(0));
    machine.finish();
    machine.run(&["release", "chest-r1", "--by", "ada"]).stops(4, "SAME_PERSON");
    assert_eq!(machine.state(), "awaiting_release");
    assert_eq!(machine.run(&["release", "chest-r1", "--by", "grace"]).code, Some(0));
    let cohort = machine.run(&["ledger", "show", "--json"]).json()["ledger"][0]["cohort"].clone();
    let prefix = &cohort.as_str().unwrap()[..8];
    let told = machine.run(&["ledger", "show", "--cohort", prefix]).out;
    assert!(told.contains("approved by grace") && told.contains("scanner = a"), "{told}");
    assert!(told.contains("No other answer was about any of these patients"), "{told}");
    let other = machine.run(&["ledger", "show", "--cohort", "zz"]).out;
    assert!(other.contains("Nothing was ever told"), "{other}");
}

#[test]
fn a_result_is_previewed_and_released_by_the_digest_that_was_shown() {
    let machine = Machine::with_a_job(JobState::AwaitingRelease);
    let preview = machine.run(&["preview", "chest-r1", "--json"]).json();
    let result = machine.result();
    let digest = result.digest().to_string();
    assert_eq!(preview["digest"].as_str(), Some(digest.as_str()));
    let exact: Value = serde_json::from_slice(result.bytes()).unwrap();
    assert_eq!(preview["result"], exact);
    assert_eq!(preview["decisions"][0]["verdict"], "released");
    let text = machine.run(&["preview", "chest-r1"]).out;
    assert!(text.contains(std::str::from_utf8(result.bytes()).unwrap()), "the exact bytes");
    assert!(text.contains("whole cohort") && text.contains("scanner = a"), "{text}");

    let other = "0".repeat(64);
    machine.run(&["release", "chest-r1", "--digest", &other]).stops(2, "APPROVAL_OF_OTHER_BYTES");
    assert_eq!(machine.state(), "awaiting_release");
    let released =
        machine.run(&["release", "chest-r1", "--digest", &digest, "--by", "dr-no", "--json"]);
    assert_eq!(released.json()["approver"], "dr-no");
    assert_eq!(machine.state(), "released");
    machine.run(&["approve", "chest-r1"]).stops(2, "JOB_STATE");
    let ledger = machine.run(&["ledger", "show", "--json"]).json();
    let entry = &ledger["ledger"][0];
    assert_eq!((&entry["digest"], &entry["outcome"]), (&digest.into(), &"released".into()));
    let cohort = entry["cohort"].as_str().unwrap();
    let listed = |prefix: &str| {
        let ledger = machine.run(&["ledger", "show", "--cohort", prefix, "--json"]).json();
        ledger["ledger"].as_array().unwrap().len()
    };
    assert_eq!((listed(&cohort[..8]), listed("zz")), (1, 0));
    assert_eq!(machine.run(&["journal", "verify"]).code, Some(0));
}

#[test]
fn a_journal_that_was_changed_by_hand_is_found_out_and_the_agent_does_not_start() {
    let machine = Machine::with_a_job(JobState::AwaitingRelease);
    assert_eq!(machine.run(&["release", "chest-r1"]).code, Some(0));
    Runtime::new().unwrap().block_on(async {
        drop(Vault::open(&machine.path("vault.db")).await.unwrap());
        let url = format!("sqlite://{}", machine.path("vault.db").display());
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        sqlx::raw_sql("UPDATE ledger SET approver = 'nobody'").execute(&pool).await.unwrap();
        pool.close().await;
    });
    machine.run(&["journal", "verify"]).stops(1, "JOURNAL_BROKEN");
    machine.run(&["run"]).stops(1, "JOURNAL_BROKEN");
}

#[test]
fn check_names_the_cases_that_failed_by_their_place_and_nothing_else() {
    use fedval_disclosure::SiteLocal;
    use fedval_study::Sha256Digest;
    use fedval_study::summary::FailureReason;
    use fedval_vault::{CaseOutcome, Checkpoint};
    let machine = Machine::with_a_job(JobState::Running);
    Runtime::new().unwrap().block_on(async {
        let vault = Vault::open(&machine.path("vault.db")).await.unwrap();
        let put = async |index: usize, outcome: CaseOutcome| {
            let checkpoint = Checkpoint {
                row: Sha256Digest::of(b"row"),
                outcome,
                attributes: [("PatientSex".to_owned(), "ZZCANARY".to_owned())].into(),
                image: None,
            };
            let checkpoint = SiteLocal::new(checkpoint);
            vault.checkpoint_put(&agent::round(), index, &checkpoint).await.unwrap();
        };
        put(0, CaseOutcome::Score(0.5_f64.to_bits())).await;
        put(4, CaseOutcome::Failed(FailureReason::Undecodable)).await;
        for index in 10..40 {
            put(index, CaseOutcome::Failed(FailureReason::WrongSize)).await;
        }
    });
    let ran = machine.run(&["check", "--study", "chest", "--json"]);
    let checks = ran.json();
    let cases = checks["checks"].as_array().unwrap().last().unwrap();
    assert_eq!(cases["code"], "CASES_FAILED");
    let problem = cases["problem"].as_str().unwrap();
    assert!(problem.contains("Undecodable: 5;"), "{problem}");
    assert!(problem.contains("WrongSize: 11, 12,") && problem.contains("and 10 more"), "{problem}");
    assert!(!ran.out.contains("ZZCANARY"));
}

#[test]
fn a_second_agent_on_the_same_folder_is_refused() {
    let machine = Machine::with_a_policy();
    let held = fs::File::create(machine.path("agent.lock")).unwrap();
    held.lock().unwrap();
    machine.run(&["run"]).stops(2, "ALREADY_RUNNING");
}

#[test]
fn the_agent_refuses_a_waiting_job_by_itself_where_there_is_no_policy() {
    for state in [JobState::Offered, JobState::Running] {
        let machine = Machine::with_a_job(state);
        fs::remove_file(machine.path("policy.toml")).unwrap();
        fs::create_dir(machine.path("artifacts")).unwrap();
        let model = fedval_study::Sha256Digest::of(study::MODEL);
        fs::write(machine.path(&format!("artifacts/{model}.bin")), study::MODEL).unwrap();
        machine.run_until("released");
        let job = machine.run(&["jobs", "--json"]).json()["jobs"][0].clone();
        assert_eq!(job["note"], "POLICY_MISSING");
        let ledger = machine.run(&["ledger", "show", "--json"]).json();
        let entry = &ledger["ledger"][0];
        assert_eq!((&entry["outcome"], &entry["approver"]), (&"refused".into(), &"policy".into()));
    }
}

#[test]
fn an_approved_job_runs_without_a_coordinator_and_what_came_of_it_waits_for_the_steward() {
    let machine = Machine::with_a_job(JobState::Approved);
    fs::create_dir(machine.path("artifacts")).unwrap();
    let model = fedval_study::Sha256Digest::of(study::MODEL);
    fs::write(machine.path(&format!("artifacts/{model}.bin")), study::MODEL).unwrap();
    machine.run_until("awaiting_release");
    let job = machine.run(&["jobs", "--json"]).json()["jobs"][0].clone();
    assert_eq!(job["note"], "MANIFEST_INVALID", "the documented example names no real folder");
    assert!(machine.run(&["preview", "chest-r1"]).out.contains("Only the word `failed`"));
    assert_eq!(machine.run(&["ledger", "show"]).out, "Nothing ever left this site.\n");
}

#[test]
fn check_says_what_is_wrong_with_the_engine_and_what_to_do() {
    let machine = Machine::enrolled();
    let library = machine.path("libonnxruntime.so");
    let digest = "0".repeat(64);
    let engine = |keys: &str| format!("engine = {keys}\n");
    let embedded = engine("\"embedded\"");
    let pinned =
        engine(&format!("\"onnx_runtime\"\nlibrary = {library:?}\nlibrary_sha256 = \"{digest}\""));
    let remote = engine("\"remote\"\nserver = \"http://127.0.0.1:9\"");
    let row = || {
        let checks = machine.run(&["check", "--json"]).json();
        let rows = checks["checks"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["check"] == "engine").unwrap()
    };
    machine.replace("agent.toml", &embedded, &pinned);
    let missing = row();
    assert_eq!(
        (&missing["holds"], &missing["code"]),
        (&false.into(), &"ENGINE_LIBRARY_NOT_READ".into())
    );
    assert!(missing["remedy"].as_str().unwrap().contains("fedval-agent check"), "{missing}");
    fs::write(&library, b"another library").unwrap();
    let other = row();
    assert_eq!(other["code"], "ENGINE_LIBRARY_MISMATCH");
    assert!(other["remedy"].as_str().unwrap().contains("sha256sum"), "{other}");
    // It is what is pinned, and no library.
    let own = fedval_study::Sha256Digest::of(b"another library").to_string();
    machine.replace("agent.toml", &digest, &own);
    assert_eq!(row()["code"], "ENGINE_LIBRARY_NOT_LOADED");
    machine.replace("agent.toml", &pinned.replace(&digest, &own), &remote);
    let absent = row();
    assert_eq!(absent["code"], "MODEL_SERVER_UNREACHABLE");
}
