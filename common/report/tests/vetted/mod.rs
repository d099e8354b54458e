//! What the gate of a hospital lets through.

use fedval_disclosure::{Evidence, Gate, History, SiteLocal, SitePolicy};
use fedval_study::protocol::StudyProtocol;
use fedval_study::{
    BuildDigest, CohortCommitment, LockedProtocol, Outcome, PolicyDigest, ProbeDigests,
    ResultHeader, ScoreSource, SiteSummary,
};

use crate::consortium::digest;

pub(crate) fn vetted(plan: &StudyProtocol, summary: SiteSummary, scores: ScoreSource) -> Outcome {
    let policy = SitePolicy::parse(b"profile = \"standard\"\nk = 11\n").unwrap();
    let evidence = Evidence {
        summary: &SiteLocal::new(summary),
        history: &SiteLocal::new(History::default()),
        now_ms: 0,
        noise_seed: [7; 32],
    };
    let header = ResultHeader {
        study: plan.id.clone(),
        protocol: LockedProtocol::new(plan.clone()).unwrap().digest(),
        model: plan.model.digest,
        round: "r1".parse().unwrap(),
        site: "site-x".parse().unwrap(),
        cohort: Some(CohortCommitment(digest("cohort"))),
        policy: Some(PolicyDigest(digest("policy"))),
        agent_build: BuildDigest(digest("agent")),
        scores,
        preprocessing: ProbeDigests::default(),
    };
    let gate = Gate::new(policy.for_study(plan), plan);
    gate.vet(header, &evidence).unwrap().value().outcome.clone()
}
