//! People sign reports: which signatures are kept, and which are not.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, bench, chest, code};
use fedval_ambient::Clock as _;
use fedval_core::port::PersonRow;
use fedval_core::{Password, SignError};
use fedval_study::{
    Canonical, ElectronicSignature, Name, Outcome, PersonRole, Sha256Digest, SignatureMeaning,
    SiteResult,
};
use fedval_trust::{PayloadType, SignedDocument};
use support::header;

const OWN: &str = "a sentence that I keep to myself";

fn ada() -> Name {
    "ada".parse().unwrap()
}

/// A round that one site answered, and Ada with a password of her own.
async fn answered() -> Bench {
    let bench = bench().await;
    let (locked, sites, _) = bench.dispatch(&["site-a"]).await;
    let refused = SiteResult { header: header(&locked, "site-a"), outcome: Outcome::Refused };
    bench.submit(&sites[0], refused).await.unwrap();
    let coordinator = &bench.coordinator;
    let key = bench.ada.0.public();
    coordinator.person_admit(ada(), PersonRole::Statistician, key).await.unwrap();
    let issued = coordinator.password_issue(&ada()).await.unwrap();
    let own = Password::typed(OWN.to_owned());
    coordinator.password_change(&ada(), &issued, own).await.unwrap();
    bench
}

async fn closed() -> Bench {
    let bench = answered().await;
    bench.coordinator.study_close(&chest()).await.unwrap();
    bench
}

/// What Ada states about the report as it is now.
async fn statement(bench: &Bench) -> ElectronicSignature {
    let files = bench.coordinator.report_build(&chest()).await.unwrap().files();
    ElectronicSignature {
        study: chest(),
        round: "chest-r1".parse().unwrap(),
        report: Sha256Digest::of(&files["report.json"]),
        signer: ada(),
        role: PersonRole::Statistician,
        printed_name: "Ada Lovelace".parse().unwrap(),
        meaning: SignatureMeaning::Approval,
        signed_at_ms: bench.clock.now().unix_millis(),
    }
}

async fn sign(
    bench: &Bench,
    statement: &ElectronicSignature,
    password: &str,
) -> Result<(), SignError> {
    let (key, certificate) = &bench.ada;
    let bytes = Canonical::new(statement.clone()).unwrap().into_bytes();
    let kind = PayloadType::ElectronicSignature;
    let signed = SignedDocument::sign(kind, bytes, key, certificate);
    let caller = PersonRow { name: ada(), role: PersonRole::Statistician, key: key.public() };
    let password = Password::typed(password.to_owned());
    let endorsement = signed.endorsements[0].clone();
    bench.coordinator.report_sign(&caller, signed.bytes, endorsement, &password).await
}

#[tokio::test]
async fn a_signature_is_kept_once_and_printed_with_the_report() {
    let bench = closed().await;
    let before = bench.coordinator.report_build(&chest()).await.unwrap().files();
    let approval = statement(&bench).await;
    sign(&bench, &approval, OWN).await.unwrap();
    assert_eq!(code(sign(&bench, &approval, OWN).await), "SIGNED_BEFORE");
    let review = ElectronicSignature { meaning: SignatureMeaning::Review, ..approval };
    sign(&bench, &review, OWN).await.unwrap();
    let files = bench.coordinator.report_build(&chest()).await.unwrap().files();
    assert_eq!(files["report.json"], before["report.json"]);
    let page = String::from_utf8_lossy(&files["report.html"]);
    assert!(page.contains("Ada Lovelace") && page.contains("approval") && page.contains("review"));
    let root = bench.coordinator.root().fingerprint();
    let verification = fedval_report::verify(&files, Some(root));
    assert!(verification.holds(), "{:?}", verification.first_failure());
}

#[tokio::test]
async fn a_crash_between_store_and_log_is_made_good_by_the_next_build() {
    let bench = closed().await;
    let approval = statement(&bench).await;
    let bytes = Canonical::new(approval.clone()).unwrap().into_bytes();
    let (key, certificate) = &bench.ada;
    let signed = SignedDocument::sign(PayloadType::ElectronicSignature, bytes, key, certificate);
    let endorsement = signed.endorsements[0].clone();
    let row = fedval_core::port::SignatureRow { statement: approval, endorsement };
    assert!(bench.coordinator.store().signature_insert(&row).await.unwrap());
    let files = bench.coordinator.report_build(&chest()).await.unwrap().files();
    assert!(files.contains_key("evidence/signatures/ada-approval.json"));
}

#[tokio::test]
async fn a_wrong_password_signs_nothing() {
    let bench = closed().await;
    let approval = statement(&bench).await;
    assert_eq!(code(sign(&bench, &approval, "not the right one").await), "PASSWORD_WRONG");
    let issued = bench.coordinator.password_issue(&ada()).await.unwrap();
    assert_eq!(code(sign(&bench, &approval, issued.as_str()).await), "PASSWORD_ISSUED");
    assert!(bench.coordinator.store().signature_list(&approval.round).await.unwrap().is_empty());
}

#[tokio::test]
async fn only_ones_own_name_at_this_moment_under_this_report_is_taken() {
    let bench = closed().await;
    let good = statement(&bench).await;
    let changed = |change: fn(&mut ElectronicSignature)| {
        let mut statement = good.clone();
        change(&mut statement);
        statement
    };
    for (wrong, expected) in [
        (changed(|s| s.signer = "eve".parse().unwrap()), "SIGNATURE_NOT_YOURS"),
        (changed(|s| s.role = PersonRole::Operator), "SIGNATURE_NOT_YOURS"),
        (changed(|s| s.signed_at_ms += 301_000), "SIGNATURE_CLOCK"),
        (changed(|s| s.signed_at_ms -= 301_000), "SIGNATURE_CLOCK"),
        (changed(|s| s.report = Sha256Digest::of(b"another")), "REPORT_SUPERSEDED"),
        (changed(|s| s.round = "chest-r2".parse().unwrap()), "REPORT_SUPERSEDED"),
        (changed(|s| s.study = "head".parse().unwrap()), "STUDY_NOT_FOUND"),
    ] {
        assert_eq!(code(sign(&bench, &wrong, OWN).await), expected, "{wrong:?}");
    }
    sign(&bench, &good, OWN).await.unwrap();
}

#[tokio::test]
async fn the_report_of_an_open_round_is_not_signed() {
    let bench = answered().await;
    let approval = statement(&bench).await;
    assert_eq!(code(sign(&bench, &approval, OWN).await), "ROUND_OPEN");
}
