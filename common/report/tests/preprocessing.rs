//! What a report says of preprocessing, and what a package is refused for.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;

use std::collections::BTreeMap;

use consortium::{Consortium, answers, documents, plan};
use fedval_preprocess::probe::{Drift, Probes, ProbesRefused};
use fedval_report::{AssembleError, Report, assemble, verify};
use fedval_study::protocol::ProbeRule;
use fedval_study::{
    Canonical, ProbeDigests, ProbeName, ResultDigest, Sha256Digest, SiteId, StudyProtocol,
};

const OPENED: i64 = 1_760_000_000_000;

fn truth(plan: &StudyProtocol) -> ProbeDigests {
    Probes::of(&plan.model.input).expected()
}

/// The report of a round in which each site sends the probes that `probes` gives it.
fn report(
    plan: &StudyProtocol,
    probes: impl Fn(&SiteId) -> ProbeDigests,
) -> Result<Report, AssembleError> {
    let (history, mut round, mut results) = documents(plan, &answers(plan), OPENED);
    for (site, result) in &mut results {
        if result.outcome.terms().is_some() {
            result.header.preprocessing = probes(site);
        }
    }
    let digests: BTreeMap<&SiteId, ResultDigest> = results
        .iter()
        .map(|(site, result)| (site, ResultDigest(Canonical::new(result).unwrap().digest())))
        .collect();
    for record in &mut round.sites {
        record.result = digests.get(&record.site).copied();
    }
    assemble(&history, &round, &results)
}

fn json(report: &Report) -> serde_json::Value {
    serde_json::from_slice(report.canonical().unwrap().bytes()).unwrap()
}

#[test]
fn sites_that_agree_show_one_digest_and_others_none() {
    let plan = plan();
    let agreeing = report(&plan, |_| truth(&plan)).unwrap();
    let digest = truth(&plan).summary();
    let released: Vec<_> = agreeing.sites.iter().filter(|site| !site.metrics.is_empty()).collect();
    assert!(released.len() > 1);
    assert!(released.iter().all(|site| site.preprocessing == digest));
    let silent = agreeing.sites.iter().filter(|site| site.metrics.is_empty());
    assert!(silent.map(|site| site.preprocessing).all(|shown| shown.is_none()));
    // As reports were before there were probes.
    let before = json(&report(&plan, |_| ProbeDigests::default()).unwrap());
    let sites = before["sites"].as_array().unwrap();
    assert!(sites.iter().all(|site| site.get("preprocessing").is_none()));
}

#[test]
fn a_site_that_drifted_makes_no_report() {
    let plan = plan();
    let probe = ProbeName::Windowing;
    let drifted = |site: &SiteId| -> ProbeDigests {
        let is_drifted = site.as_str() == "site-a";
        let of = |(own, digest)| {
            (own, if is_drifted && own == probe { Sha256Digest::of(b"other") } else { digest })
        };
        truth(&plan).all().map(of).collect()
    };
    let Err(AssembleError::Preprocessing { site, source }) = report(&plan, drifted) else {
        panic!("a report was made of images that were prepared otherwise");
    };
    assert_eq!(site.as_str(), "site-a");
    assert_eq!(source, ProbesRefused::Drift(Drift { probe }));
}

#[test]
fn where_probes_are_required_a_release_without_makes_no_report() {
    let plan = StudyProtocol { preprocessing_probes: ProbeRule::Require, ..plan() };
    assert!(report(&plan, |_| truth(&plan)).is_ok());
    let refused = report(&plan, |_| ProbeDigests::default());
    let Err(AssembleError::Preprocessing { source, .. }) = refused else {
        panic!("a report was made of images of which nothing was shown");
    };
    assert_eq!(source, ProbesRefused::Absent);
}

#[test]
fn a_package_says_where_probes_agreed_and_verifies() {
    let said = "synthetic probe images came out as the protocol says at every site whose results";
    for (rule, is_said) in [(ProbeRule::Require, true), (ProbeRule::Accept, false)] {
        let plan = StudyProtocol { preprocessing_probes: rule, ..plan() };
        let files = Consortium::new(30).package(&plan, &answers(&plan)).files();
        let verification = verify(&files, None);
        assert_eq!(verification.first_failure(), None);
        let html = String::from_utf8_lossy(&files["report.html"]);
        // Lines may be broken anywhere between words.
        let text = html.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(text.contains(said), is_said);
        assert_eq!(text.contains("Probe images"), is_said);
        let published = files.get("evidence/sites/site-a.json").map(Vec::as_slice);
        let signed = String::from_utf8_lossy(published.unwrap());
        assert_eq!(signed.contains("\"preprocessing\":{\"colour\":\""), is_said);
    }
}
