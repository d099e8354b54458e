//! The systemd units: what they forbid, and that the agent runs within it.
//!
//! Needs `systemd-analyze` and `strace`; `tests/run.sh` installs them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use fedval_tests::consortium::{Consortium, Site, until};
use fedval_tests::process::binary;
use fedval_tests::small_site;

/// Units by the program that they run.
const UNITS: [&str; 2] = ["fedval", "fedval-agent"];
/// `systemd-analyze security` calls 2.0 and less "OK".
const MOST_EXPOSURE: f64 = 2.0;

fn unit(program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("inside the workspace");
    root.join("deploy/systemd").join(format!("{program}.service"))
}

fn text_of(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    format!("{text}{}", String::from_utf8_lossy(&output.stderr))
}

fn analyze(args: &[&str]) -> Output {
    Command::new("systemd-analyze")
        .arg("--no-pager")
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("systemd-analyze is installed")
}

#[test]
fn the_units_leave_a_service_little_to_attack() {
    for program in UNITS {
        let path = unit(program);
        let shown = analyze(&["security", "--offline=yes", path.to_str().expect("a plain path")]);
        let text = text_of(&shown);
        let (_, exposure) = text.split_once("Overall exposure level for ").expect("a verdict");
        let number = exposure.split_whitespace().nth(1).expect("a number behind the unit's name");
        let exposure: f64 = number.parse().expect("a number");
        assert!(exposure <= MOST_EXPOSURE, "{program}: {exposure}\n{text}");
    }
}

#[test]
fn systemd_understands_every_line_of_the_units() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for program in UNITS {
        let text = fs::read_to_string(unit(program)).expect("the unit is there");
        let installed = format!("ExecStart=/usr/local/bin/{program} ");
        assert_eq!(text.matches(&installed).count(), 1, "{program} starts its own program");
        // The program lies elsewhere here, and a unit whose program is missing is refused.
        let here = format!("ExecStart={} ", binary(program).display());
        let path = folder.path().join(format!("{program}.service"));
        fs::write(&path, text.replace(&installed, &here)).expect("a writable folder");
        let verified = analyze(&["verify", "--man=no", path.to_str().expect("a plain path")]);
        assert!(verified.status.success(), "{}", text_of(&verified));
        assert_eq!(text_of(&verified), "", "{program}: systemd has something to say");
    }
}

#[test]
fn the_agents_unit_allows_every_system_call_of_a_round() {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"this is no ONNX model").expect("a writable folder");
    let protocol = consortium.lock("small", &small_site::study("small", &model));
    let data = consortium.path("data");
    small_site::write(&data, 40);
    let site = consortium.enrol("st-marys", &data);
    site.sign_policy(&[&protocol]);

    let trace = consortium.path("run.trace");
    let mut agent = strace(&site, &trace, &["run"]).spawn().expect("strace is installed");
    consortium.fedval(&["study", "dispatch", "small", "--json"]).json();
    consortium.until_answered("small");
    agent.kill().expect("the agent runs");
    agent.wait().expect("the agent ends");
    until("strace has written everything", || {
        fs::read_to_string(&trace).ok()?.contains("+++ killed by SIGKILL +++").then_some(())
    });
    let mut used = calls(&trace);
    // Decoding: `check` starts a box and waits until it is confined.
    let trace = consortium.path("check.trace");
    let checked = strace(&site, &trace, &["check"]).output().expect("strace is installed");
    assert!(checked.status.success(), "{}", text_of(&checked));
    used.extend(calls(&trace));

    for must in ["connect", "clone3", "execve", "landlock_restrict_self", "seccomp"] {
        assert!(used.contains(must), "the trace is not one of a round: {used:?}");
    }
    let allowed = allowed("fedval-agent");
    // As root, SQLite gives new files to the owner of the database; as a service's user it does not.
    let refused: Vec<_> =
        used.iter().filter(|call| *call != "fchown" && !allowed.contains(*call)).collect();
    assert!(refused.is_empty(), "SystemCallFilter= forbids {refused:?}");
}

/// An agent's command under strace, which follows every child. The tracer is a grandchild, so that
/// the child is the agent itself and dies with it.
fn strace(site: &Site, trace: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-q", "-o"]).arg(trace).arg(binary("fedval-agent")).args(args);
    command.arg("--home").arg(&site.home);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Names of the calls in a trace.
fn calls(trace: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(trace).expect("strace wrote it");
    let name = |line: &str| {
        let (_, call) = line.split_once(' ')?;
        let call = call.trim_start();
        let call = call.strip_prefix("<... ").unwrap_or(call);
        let end = call.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        (end > 0 && call[end..].starts_with(['(', ' '])).then(|| call[..end].to_owned())
    };
    text.lines().filter_map(name).collect()
}

/// Every call that a unit's `SystemCallFilter=` lets through.
fn allowed(program: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(unit(program)).expect("the unit is there");
    let mut allowed = members("@default");
    for line in text.lines() {
        let Some(filter) = line.strip_prefix("SystemCallFilter=") else { continue };
        let (is_allowed, names) = match filter.strip_prefix('~') {
            Some(names) => (false, names),
            None => (true, filter),
        };
        for name in names.split_whitespace() {
            let group = members(name);
            if is_allowed {
                allowed.extend(group);
            } else {
                allowed.retain(|call| !group.contains(call));
            }
        }
    }
    allowed
}

/// A call, or the calls of a group and of the groups in it.
fn members(name: &str) -> BTreeSet<String> {
    if !name.starts_with('@') {
        return BTreeSet::from([name.to_owned()]);
    }
    let listed = analyze(&["syscall-filter", name]);
    assert!(listed.status.success(), "{}", text_of(&listed));
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let entries = text.lines().filter(|line| line.starts_with("    ")).map(str::trim);
    entries.filter(|entry| !entry.starts_with('#')).flat_map(members).collect()
}
