//! How each failure of a call reads: code, exit, whether it passes by itself, remedy.

use std::fmt::Write as _;

use fedval_ambient::Problem as _;
use fedval_egress::EgressError;

const TABLE: &str = "\
URL_INVALID 2 stays: `x` is not the address of a coordinator
  write it as https://HOST:PORT
TLS 2 stays: TLS cannot be set up with this site's key and certificate
  enrol this machine again
COORDINATOR_SILENT 3 passes: the coordinator fell silent
  the agent tries again by itself
STREAM_ENDED 3 passes: the work stream ended
  the agent tries again by itself
ROUND_CLOSED 4 stays: the coordinator refused: the round is closed
  ask for a new round
STORE_UNAVAILABLE 3 passes: the coordinator refused: the round is closed
  ask for a new round
COORDINATOR_FAILED 4 stays: the coordinator refused: the round is closed
  ask for a new round
ANSWER_INVALID 70 stays: the coordinator's answer breaks the contract
  run the same release of fedval on both sides
DIGEST_MISMATCH 3 stays: the download is not what its digest says
  it is fetched again by itself; if it stays, tell the coordinator's operator
DISK 5 stays: the download cannot be written to disk
  free disk space and check the folder's permissions
";

fn refused(code: &str, is_passing: bool) -> EgressError {
    EgressError::Refused {
        code: code.to_owned(),
        message: "the round is closed".to_owned(),
        remedy: Some("ask for a new round".to_owned()),
        is_passing,
    }
}

/// One of each, and three that the coordinator can say.
fn every_error() -> Vec<EgressError> {
    let url = || "x".to_owned();
    vec![
        EgressError::BadUrl { url: url() },
        EgressError::Tls,
        EgressError::Silent,
        EgressError::StreamEnded,
        refused("ROUND_CLOSED", false),
        refused("STORE_UNAVAILABLE", true),
        refused("A_CODE_OF_ANOTHER_VERSION", false),
        EgressError::BadAnswer,
        EgressError::DigestMismatch,
        EgressError::Disk(std::io::Error::other("/home/dr-no/patients.csv")),
    ]
}

#[test]
fn every_failure_has_its_code_its_exit_and_its_remedy() {
    let mut table = String::new();
    for error in every_error() {
        let passes = if error.is_passing() { "passes" } else { "stays" };
        let (code, exit) = (error.code(), error.exit() as u8);
        writeln!(table, "{code} {exit} {passes}: {error}").expect("text takes any line");
        writeln!(table, "  {}", error.remedy().unwrap_or_default()).expect("text takes any line");
    }
    assert_eq!(table, TABLE);
}

#[test]
fn the_sentence_of_a_failed_disk_names_no_path() {
    let error = EgressError::Disk(std::io::Error::other("/home/dr-no/patients.csv"));
    assert!(!error.to_string().contains("dr-no"));
}
