//! A site whose patients are measured, with the ledger of what left it.

use fedval_disclosure::{
    Earlier, Evidence, Gate, History, SiteLocal, SitePolicy, Vetted, Withheld,
};
use fedval_study::protocol::StudyProtocol;
use fedval_study::{
    LockedProtocol, MeasurePerformance, Outcome, Problem as _, Release, SiteResult, SiteSummary,
};

use crate::support::header;

pub(crate) struct MeasuredSite {
    pub(crate) policy: SitePolicy,
    pub(crate) protocol: StudyProtocol,
    pub(crate) history: History,
}

impl MeasuredSite {
    pub(crate) fn under(policy: &str, protocol: StudyProtocol) -> Self {
        let policy = SitePolicy::parse(policy.as_bytes()).unwrap();
        Self { policy, protocol, history: History::default() }
    }

    pub(crate) fn vet(&self, summary: SiteSummary) -> Result<Vetted<SiteResult>, Withheld> {
        let locked = LockedProtocol::new(self.protocol.clone()).unwrap();
        let evidence = Evidence {
            summary: &SiteLocal::new(summary),
            history: &SiteLocal::new(self.history.clone()),
            now_ms: 0,
            noise_seed: [7; 32],
        };
        let policy = self.policy.for_study(&self.protocol);
        Gate::new(policy, &self.protocol).vet(header(&locked, "site-a"), &evidence)
    }

    /// What leaves is remembered by the ledger.
    pub(crate) fn remember(&mut self, vetted: &Vetted<SiteResult>) {
        self.history.0.push(Earlier {
            study: "other".parse().unwrap(),
            protocol: LockedProtocol::new(self.protocol.clone()).unwrap().digest(),
            model: self.protocol.model.digest,
            committed_at_ms: 0,
            released: true,
            rho_micro: 0,
            footprint: vetted.footprint().map(|footprint| footprint.open_on_site().clone()),
        });
    }
}

pub(crate) fn released(vetted: &Vetted<SiteResult>) -> Release<MeasurePerformance> {
    let Outcome::ReleasedMeasures(release) = &vetted.value().outcome else { panic!("measures") };
    (**release).clone()
}

pub(crate) fn code(answer: Result<Vetted<SiteResult>, Withheld>) -> &'static str {
    answer.map_or_else(|withheld| withheld.code(), |_| "released")
}
