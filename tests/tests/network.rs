//! Wrong addresses, wrong roots, used tokens, revoked and foreign certificates, damaged downloads.

use std::fs;

use fedval_tests::consortium::{Consortium, free_port, until};
use fedval_tests::process::{Answer, call};
use fedval_tests::small_site;

fn refused(answer: &Answer, exit: i32, code: &str) {
    assert_eq!(answer.code, exit, "{}", answer.err);
    assert!(answer.err.contains(code), "{code} in: {}", answer.err);
    assert!(answer.err.contains("hint:"), "a next step in: {}", answer.err);
}

#[test]
fn enrolment_names_what_is_wrong_and_nothing_is_lost() {
    let consortium = Consortium::start();
    let invite = || {
        let invited = consortium.fedval(&["site", "invite", "site-a", "--json"]).json();
        invited["token"].as_str().expect("it is there").to_owned()
    };
    let token = invite();
    let home = consortium.path("site-a");
    let url = consortium.url();
    let enrol = |url: &str, token: &str, more: &[&str]| {
        let args = [&["enrol", "--coordinator", url, "--token", token], more].concat();
        call("fedval-agent", &home, &args)
    };
    let nobody = format!("https://localhost:{}", free_port());
    refused(&enrol(&nobody, &token, &[]), 3, "COORDINATOR_UNREACHABLE");
    refused(&enrol("http://localhost", &token, &[]), 2, "URL_INVALID");
    refused(&enrol(&url, "fv1-abc", &[]), 2, "TOKEN_MALFORMED");
    refused(&enrol(&url, &token, &["--root", &"0".repeat(64)]), 4, "WRONG_ROOT");
    let (head, _) = token.rsplit_once('-').expect("it is there");
    let elsewhere = format!("{head}-{}", "0".repeat(64));
    refused(&enrol(&url, &elsewhere, &[]), 3, "WRONG_ROOT");
    // None of this used the token up.
    assert_eq!(enrol(&url, &token, &[]).code, 0);
    refused(&enrol(&url, &token, &[]), 2, "ALREADY_ENROLLED");
    let second = call(
        "fedval-agent",
        &consortium.path("site-b"),
        &["enrol", "--coordinator", &url, "--token", &token],
    );
    refused(&second, 4, "TOKEN_REFUSED");
}

#[test]
fn an_agent_waits_for_its_coordinator_and_a_second_agent_is_refused() {
    let mut consortium = Consortium::start();
    let data = consortium.path("data");
    small_site::write(&data, 40);
    let mut site = consortium.enrol("site-a", &data);
    site.sign_policy(&[]);
    consortium.stop();
    site.run();
    until("the agent said that nobody answers", || {
        let log = String::from_utf8_lossy(&site.outgoing()).into_owned();
        log.contains("COORDINATOR").then_some(())
    });
    refused(&site.agent(&["run"]), 2, "ALREADY_RUNNING");
    consortium.serve();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"this is no ONNX model").expect("it is there");
    let _ = consortium.lock("small", &small_site::study("small", &model));
    consortium.fedval(&["study", "dispatch", "small", "--json"]).json();
    site.until_job_is("offered");
}

#[test]
fn a_revoked_and_a_foreign_site_get_nothing() {
    let consortium = Consortium::start();
    let other = Consortium::start();
    let data = consortium.path("data");
    small_site::write(&data, 40);
    let site = consortium.enrol("site-a", &data);
    let foreign = other.enrol("site-a", &data);
    let here = foreign.home.join("agent.toml");
    let config = fs::read_to_string(&here).expect("it is there");
    let line = config.lines().find(|line| line.starts_with("url")).expect("it is there");
    fs::write(&here, config.replace(line, &format!("url = \"{}\"", consortium.url())))
        .expect("it is there");
    let answer = foreign.agent(&["check", "--json"]);
    assert!(answer.out.contains("WRONG_ROOT"), "{}", answer.out);

    consortium.fedval(&["site", "revoke", "site-a", "--json"]).json();
    let mut site = site;
    site.sign_policy(&[]);
    site.run();
    until("the revoked agent is told", || {
        let log = String::from_utf8_lossy(&site.outgoing()).into_owned();
        log.contains("NOT_ENROLLED").then_some(())
    });
}

#[test]
fn a_model_that_was_changed_on_the_coordinators_disk_is_never_run() {
    let consortium = Consortium::start();
    let data = consortium.path("data");
    small_site::write(&data, 40);
    let mut site = consortium.enrol("site-a", &data);
    let model = consortium.path("model.onnx");
    fs::write(&model, b"this is no ONNX model").expect("it is there");
    let protocol = consortium.lock("small", &small_site::study("small", &model));
    consortium.fedval(&["study", "dispatch", "small", "--json"]).json();
    let stored = consortium.home().join("artifacts/sha256");
    let artifact = fs::read_dir(&stored)
        .expect("it is there")
        .map(|entry| entry.expect("it is there").path())
        .find(|path| fs::read(path).expect("it is there").starts_with(b"this is no"))
        .expect("it is there");
    fs::write(&artifact, b"THIS is no ONNX model").expect("it is there");
    site.sign_policy(&[&protocol]);
    site.run();
    until("the agent notes the damage", || {
        let jobs = site.agent(&["jobs", "--json"]).json();
        (jobs["jobs"][0]["delay"] == "DIGEST_MISMATCH").then_some(())
    });
    let answer = consortium.fedval(&["study", "dispatch", "small"]);
    refused(&answer, 2, "MODEL_CHANGED");
    fs::write(&artifact, b"this is no ONNX model").expect("it is there");
    let job = site.until_job_is("sent");
    assert_eq!(job, "small-r1", "the restored artifact is fetched by itself");
}
