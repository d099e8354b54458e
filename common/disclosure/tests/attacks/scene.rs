//! A site with two dimensions and their crossing, and a coordinator that asks again and again.

use fedval_disclosure::{
    Decision, Earlier, Evidence, Gate, History, SiteLocal, SitePolicy, Vetted, Withheld,
};
use fedval_study::draft::Draft;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{
    Cell, LockedProtocol, ModelDigest, Outcome, Release, ResultHeader, Sha256Digest, SiteResult,
    SiteSummary,
};

use crate::support::{self, Case, MODEL, STUDY, cases, group};

/// The study of [`STUDY`] by sex, by scanner, and by both.
pub(crate) fn study() -> String {
    let sex = "[[subgroups]]\ndimension = \"sex\"\ncolumn = \"sex\"\ncategories = [\n    \
               { name = \"f\", values = [\"f\"] },\n    { name = \"m\", values = [\"m\"] },\n]\n\n\
               [[crossings]]\nname = \"both\"\nrows = \"sex\"\ncolumns = \"scanner\"\n\n";
    STUDY.replace("[[endpoints]]", &format!("{sex}[[endpoints]]"))
}

pub(crate) fn protocol() -> StudyProtocol {
    let draft = Draft::parse(&study()).unwrap();
    draft.pin_model(Sha256Digest::of(MODEL), MODEL.len() as u64).unwrap()
}

/// Patients of one sex and scanner, one image each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub(crate) sex: &'static str,
    pub(crate) scanner: &'static str,
    pub(crate) positives: u32,
    pub(crate) negatives: u32,
}

pub(crate) fn block(
    sex: &'static str,
    scanner: &'static str,
    positives: u32,
    negatives: u32,
) -> Block {
    Block { sex, scanner, positives, negatives }
}

/// The cohort of some blocks; patients are numbered in their order.
pub(crate) fn cohort(blocks: &[Block]) -> Vec<Case> {
    let groups: Vec<_> =
        blocks.iter().map(|b| group(b.scanner, b.positives, b.negatives)).collect();
    let mut sexes = blocks.iter().flat_map(|block| {
        std::iter::repeat_n(block.sex, (block.positives + block.negatives) as usize)
    });
    let mut cohort = cases(11, &groups);
    for case in &mut cohort {
        case.sex = sexes.next().unwrap();
    }
    cohort
}

/// A cohort in which nothing is small.
pub(crate) fn ample() -> Vec<Case> {
    cohort(&[
        block("f", "a", 40, 60),
        block("f", "b", 30, 40),
        block("f", "c", 25, 30),
        block("m", "a", 40, 50),
        block("m", "b", 35, 45),
        block("m", "c", 20, 30),
    ])
}

/// A site that remembers what it answered.
pub(crate) struct Site {
    policy: SitePolicy,
    protocol: StudyProtocol,
    pub(crate) history: History,
    pub(crate) now_ms: i64,
}

impl Site {
    /// A site with this policy and k = 11.
    pub(crate) fn with(policy: &str) -> Self {
        let text = format!("profile = \"{}\"\nk = 11\n", policy.replace(';', "\"\n"));
        let text =
            if policy.contains(';') { text.replacen("\"\nk = 11", "\nk = 11", 1) } else { text };
        Self {
            policy: SitePolicy::parse(text.as_bytes()).unwrap(),
            protocol: protocol(),
            history: History::default(),
            now_ms: 1_000_000,
        }
    }

    pub(crate) fn standard() -> Self {
        Self::with("standard")
    }

    /// Vets a cohort for a model, without answering.
    pub(crate) fn vet(&self, model: &str, cases: &[Case]) -> Result<Vetted<SiteResult>, Withheld> {
        self.vet_summary(model, support::summary(cases, &self.protocol))
    }

    pub(crate) fn vet_summary(
        &self,
        model: &str,
        summary: SiteSummary,
    ) -> Result<Vetted<SiteResult>, Withheld> {
        let summary = SiteLocal::new(summary);
        let gate = Gate::new(self.policy.for_study(&self.protocol), &self.protocol);
        let evidence = Evidence {
            summary: &summary,
            history: &SiteLocal::new(self.history.clone()),
            now_ms: self.now_ms,
            noise_seed: [5; 32],
        };
        gate.vet(self.header(model), &evidence)
    }

    fn header(&self, model: &str) -> ResultHeader {
        let locked = LockedProtocol::new(self.protocol.clone()).unwrap();
        let header = support::header(&locked, "site-a");
        ResultHeader { model: ModelDigest(Sha256Digest::of(model.as_bytes())), ..header }
    }

    /// Vets, and remembers the release as the ledger does.
    pub(crate) fn release(
        &mut self,
        model: &str,
        cases: &[Case],
    ) -> Result<Vetted<SiteResult>, Withheld> {
        let vetted = self.vet(model, cases)?;
        let header = &vetted.value().header;
        self.history.0.push(Earlier {
            study: header.study.clone(),
            protocol: header.protocol,
            model: header.model,
            committed_at_ms: self.now_ms,
            released: true,
            rho_micro: vetted.rho_micro(),
            footprint: vetted.footprint().map(|footprint| footprint.open_on_site().clone()),
        });
        Ok(vetted)
    }
}

pub(crate) fn exact(vetted: &Vetted<SiteResult>) -> &Release {
    match &vetted.value().outcome {
        Outcome::Released(release) => release,
        other => panic!("not released exactly: {other:?}"),
    }
}

/// Names of the cells that are not shown.
pub(crate) fn hidden(vetted: &Vetted<SiteResult>) -> Vec<String> {
    let cells = exact(vetted).subgroups.iter();
    let hidden = cells.filter(|cell| cell.performance == Cell::Suppressed);
    hidden.map(|cell| format!("{} = {}", cell.dimension, cell.category)).collect()
}

/// What was decided on a quantity.
pub(crate) fn decision<'v>(vetted: &'v Vetted<SiteResult>, quantity: &str) -> &'v Decision {
    vetted.decisions().iter().find(|decision| decision.quantity == quantity).unwrap()
}
