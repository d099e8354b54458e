//! A row that a site withheld, taken out of its result or filled with counts.
//!
//! Whose word a result is, its signature says: under anybody's but the site's own it fails, whatever else was made to
//! fit it. A site that signs other rows itself has said so; no reader of the package knows better.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fedval_report::{ARCHIVE, BuildError, Evidence, verify};
use fedval_study::{
    Canonical, Cell, Outcome, Release, ResultDigest, RoundRecord, Sha256Digest, SiteId, SiteResult,
    StudyProtocol,
};
use fedval_trust::{Endorsement, PayloadType};
use serde_json::Value;

use super::cohort::{Case, Recipe, performance};
use super::consortium::{Consortium, answers, plan};
use super::{Files, first, serde_json_of};

const RESULT: &str = "evidence/sites/site-b.json";
const SIGNATURES: &str = "evidence/sites/site-b.sig.json";
const STATEMENT: &str = "evidence/statement.json";

/// The small study with one table of groups, of which site-b withheld both rows: it has few women.
fn grouped() -> StudyProtocol {
    let mut plan = plan();
    plan.subgroups.truncate(1);
    plan.operating_points.truncate(1);
    plan
}

fn site() -> SiteId {
    "site-b".parse().unwrap()
}

/// What somebody does to the rows of a release.
type Change = fn(&mut Release);

fn take_out(release: &mut Release) {
    release.subgroups.retain(|row| row.performance.released().is_some());
}

/// The counts that the men of site-b have, from which those of its few women follow.
fn fill(release: &mut Release) {
    let recipe = Recipe {
        seed: 12,
        patients: 320,
        separation: 2.6,
        share_female: 0.04,
        ..Recipe::default()
    };
    let men: Vec<Case> = recipe.cases().into_iter().filter(|case| !case.female).collect();
    let row = release.subgroups.iter_mut().find(|row| row.category.as_str() == "male").unwrap();
    assert_eq!(row.performance, Cell::Suppressed);
    row.performance = Cell::Released(performance(&men, &grouped()));
}

/// The bytes of site-b's result with other rows.
fn with_other_rows(evidence: &Evidence, change: Change) -> Vec<u8> {
    let before = &evidence.results[&site()].bytes;
    let mut result: SiteResult = Canonical::parse(before).unwrap().into_value();
    let Outcome::Released(release) = &mut result.outcome else { panic!("site-b released") };
    change(release);
    let bytes = Canonical::new(result).unwrap().into_bytes();
    assert_ne!(bytes, *before);
    bytes
}

/// The round record that lists these bytes, signed by the coordinator.
fn list(consortium: &Consortium, evidence: &mut Evidence, result: &[u8]) {
    let mut record: RoundRecord = Canonical::parse(&evidence.round.bytes).unwrap().into_value();
    let listed = record.sites.iter_mut().find(|record| record.site == site()).unwrap();
    listed.result = Some(ResultDigest(Sha256Digest::of(result)));
    let bytes = Canonical::new(record).unwrap().into_bytes();
    evidence.round = consortium.by_coordinator(PayloadType::Round, &bytes);
}

/// Signatures under these bytes by anybody but the site: the coordinator, another site, nobody, and the site itself
/// under what it had sent.
fn of_others(consortium: &Consortium, sent: &[Endorsement], bytes: &[u8]) -> [Vec<Endorsement>; 4] {
    [
        consortium.by_coordinator(PayloadType::SiteResult, bytes).endorsements,
        consortium.by_site(&"site-a".parse().unwrap(), bytes.to_vec()).endorsements,
        Vec::new(),
        sent.to_vec(),
    ]
}

/// The coordinator's statement about the files as they are now, and no archive that would contradict them.
fn state_anew(consortium: &Consortium, files: &mut Files) {
    files.remove(ARCHIVE);
    let mut envelope: Value = serde_json::from_slice(&files[STATEMENT]).unwrap();
    let payload = BASE64.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let mut statement: Value = serde_json::from_slice(&payload).unwrap();
    for subject in statement["subject"].as_array_mut().unwrap() {
        let digest = Sha256Digest::of(&files[subject["name"].as_str().unwrap()]).to_string();
        subject["digest"]["sha256"] = digest.into();
    }
    let payload = Canonical::new(statement).unwrap().into_bytes();
    let signed = consortium.by_coordinator(PayloadType::Statement, &payload);
    envelope["payload"] = BASE64.encode(&payload).into();
    let signature = BASE64.encode(signed.endorsements[0].signature.as_bytes());
    envelope["signatures"][0]["sig"] = signature.into();
    files.insert(STATEMENT.to_owned(), Canonical::new(envelope).unwrap().into_bytes());
}

#[test]
fn a49_a_withheld_row_taken_out_or_filled_is_found_whoever_but_the_site_signs() {
    let consortium = Consortium::new(1);
    let evidence = consortium.evidence(&grouped(), &answers(&grouped()));
    let package = consortium.seal(evidence.clone()).unwrap().files();
    let changes: [Change; 2] = [take_out, fill];
    for change in changes {
        let bytes = with_other_rows(&evidence, change);
        let sent = &evidence.results[&site()].endorsements;
        for endorsements in of_others(&consortium, sent, &bytes) {
            let mut files = package.clone();
            files.insert(RESULT.to_owned(), bytes.clone());
            files.insert(SIGNATURES.to_owned(), serde_json_of(&endorsements));
            let (part, problem) = first(&files);
            assert_eq!(part, RESULT);
            assert!(problem.starts_with("signature of site"), "{problem}");
        }
    }
}

/// Round record, report, log, statement: everything that a coordinator makes follows from the row. All that it
/// cannot make is the site's signature.
#[test]
fn a49_a_report_made_again_from_a_filled_row_does_not_hold_without_the_site() {
    let consortium = Consortium::new(1);
    let mut evidence = consortium.evidence(&grouped(), &answers(&grouped()));
    let before = consortium.seal(evidence.clone()).unwrap().files();
    let sent = evidence.results[&site()].endorsements.clone();
    let bytes = with_other_rows(&evidence, fill);
    list(&consortium, &mut evidence, &bytes);
    evidence.results.insert(site(), consortium.by_site(&site(), bytes.clone()));
    // The site's own word.
    let package = consortium.seal(evidence).unwrap().files();
    assert_ne!(package["tables/subgroup_sites.csv"], before["tables/subgroup_sites.csv"]);
    let mut stated = package.clone();
    state_anew(&consortium, &mut stated);
    assert!(verify(&stated, None).holds(), "{:?}", verify(&stated, None).first_failure());
    for endorsements in of_others(&consortium, &sent, &bytes) {
        let mut files = package.clone();
        files.insert(SIGNATURES.to_owned(), serde_json_of(&endorsements));
        state_anew(&consortium, &mut files);
        let (part, problem) = first(&files);
        assert_eq!(part, RESULT);
        assert!(problem.starts_with("signature of site"), "{problem}");
        let verification = verify(&files, None);
        let found = verification.parts.iter().find(|part| part.part == STATEMENT).unwrap();
        assert_eq!(found.problem, None, "the statement is about these very files");
    }
}

/// Which rows there are is the protocol's to say: a result without one is none of this study, even where its own
/// site signed it.
#[test]
fn a49_a_result_without_a_withheld_row_is_refused_under_any_signature() {
    let consortium = Consortium::new(1);
    let mut evidence = consortium.evidence(&grouped(), &answers(&grouped()));
    let mut files = consortium.seal(evidence.clone()).unwrap().files();
    let bytes = with_other_rows(&evidence, take_out);
    let signed = consortium.by_site(&site(), bytes.clone());
    list(&consortium, &mut evidence, &bytes);
    files.insert(RESULT.to_owned(), bytes);
    files.insert(SIGNATURES.to_owned(), serde_json_of(&signed.endorsements));
    files.insert("evidence/round.json".to_owned(), evidence.round.bytes.clone());
    let by_coordinator = serde_json_of(&evidence.round.endorsements);
    files.insert("evidence/round.sig.json".to_owned(), by_coordinator);
    state_anew(&consortium, &mut files);
    let (part, problem) = first(&files);
    assert_eq!(part, RESULT);
    assert!(problem.contains("subgroup"), "{problem}");
    evidence.results.insert(site(), signed);
    assert!(matches!(consortium.seal(evidence), Err(BuildError::Assemble(_))));
}
