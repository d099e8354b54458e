//! `fedval report sign`: a person signs what the person has read, with a key and a password of their own.

use fedval_ambient::terminal::Output;
use fedval_ambient::{Clock as _, Exit, Failure, SystemClock};
use fedval_proto as proto;
use fedval_report::{Files, Report};
use fedval_study::{Canonical, ElectronicSignature};
use fedval_trust::{Certificate, PayloadType, Role, SignedDocument};
use serde_json::json;

use super::args::Sign;
use super::{password, verify};
use crate::client::{connect, refusal};
use crate::home::Home;

pub(super) async fn run(home: &Home, command: &Sign, output: Output) -> Result<(), Failure> {
    let files = verify::package(&command.package)?;
    let report = verified(home, &files)?;
    let (key, certificate) = home.pair("operator")?;
    let statement = statement(&report, &certificate, command)?;
    show(&report, &statement, output);
    let [password] = password::ask(["Your password"], command.password_file.as_deref())?;
    let bytes = Canonical::new(statement.clone()).map_err(|error| bug(&error))?.into_bytes();
    let kind = PayloadType::ElectronicSignature;
    let document = SignedDocument::sign(kind, bytes, &key, &certificate);
    let signature = document.endorsements.first().map(fedval_wire::endorsement_to_wire);
    let signature = signature.transpose().map_err(|error| bug(&error))?;
    let mut client = connect(home).await?;
    let request = proto::SignReportRequest { statement: document.bytes, signature, password };
    client.sign_report(request).await.map_err(|status| refusal(&status))?;
    let study = &statement.study;
    output.say(
        &json!({ "study": study, "round": statement.round, "report": statement.report,
                 "meaning": statement.meaning, "signed": true }),
        &format!(
            "Signed.\n\nNext, to have it printed: fedval report build {study} --out DIR (a new folder)"
        ),
    );
    Ok(())
}

/// Nobody signs what does not hold, or what another consortium made.
fn verified(home: &Home, files: &Files<'_>) -> Result<Canonical<Report>, Failure> {
    let root = home.certificate("root")?.fingerprint();
    let verification = fedval_report::verify_files(files, Some(root), None);
    if let Some(part) = verification.first_failure() {
        let problem = part.problem.as_deref().unwrap_or("unknown reason");
        return Err(Failure::new(
            Exit::AnswerIsNo,
            "VERIFICATION_FAILED",
            format!("{} does not hold: {problem}", part.part),
            "do not sign it; build it anew: `fedval report build STUDY --out DIR`",
        ));
    }
    let bytes = files.read("report.json").unwrap_or_default();
    Canonical::parse(&bytes).map_err(|error| bug(&error))
}

fn statement(
    report: &Canonical<Report>,
    certificate: &Certificate,
    command: &Sign,
) -> Result<ElectronicSignature, Failure> {
    let Role::Person(role, signer) = certificate.role().clone() else {
        return Err(Failure::new(
            Exit::Usage,
            "SIGNATURE_NOT_YOURS",
            "the certificate in this folder is no person's".to_owned(),
            "give the --home that `fedval person admit` made for you",
        ));
    };
    Ok(ElectronicSignature {
        study: report.value().study.id.clone(),
        round: report.value().round.id.clone(),
        report: report.digest(),
        signer,
        role,
        printed_name: command.printed_name.clone(),
        meaning: command.meaning,
        signed_at_ms: SystemClock.now().unix_millis(),
    })
}

/// What is about to be signed, before the password is asked for.
fn show(report: &Canonical<Report>, statement: &ElectronicSignature, output: Output) {
    let ElectronicSignature { round, report: digest, printed_name, meaning, .. } = statement;
    output.progress(&format!("{}, round {round}", report.value().study.title));
    output.progress(&format!("report.json {digest}"));
    output.progress(&format!("signed by {printed_name}: {meaning}"));
}

fn bug(error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Bug, "SIGNATURE_MALFORMED", error.to_string(), "report this with the log")
}
