//! The same consortia under each profile: how far the pooled estimates move, and how wide they get.

use std::collections::BTreeMap;

use clap::Args;
use fedval_disclosure::{Evidence, Gate, History, NoAggregates, SiteLocal, SitePolicy, Vetted};
use fedval_report::{Report, assemble};
use fedval_stats::grid::GridScore;
use fedval_stats::pooled_roc::cell_centre;
use fedval_stats::scale::Logit;
use fedval_study::draft::Draft;
use fedval_study::protocol::{Profile, StudyProtocol};
use fedval_study::result::SubgroupCell;
use fedval_study::round::{RoundRecord, SiteRecord};
use fedval_study::{
    Canonical, Cell, LockedProtocol, MetricId, Outcome, ProtocolHistory, Release, ResultDigest,
    Sha256Digest, SiteId, SiteResult, SiteStatus, Terms,
};
use rand_distr::{Distribution as _, StandardNormal, StandardUniform};
use rand_pcg::Pcg64Mcg;

use crate::say;
use crate::support::{self, Case, MODEL, STUDY};

const PREVALENCE: f64 = 0.3;
/// Standard deviation of sites on the logit scale.
const TAU: f64 = 0.3;
/// By how much the model is worse in one sex, in logits of its score.
const GAP: f64 = 0.4;

#[derive(Debug, Args)]
pub(crate) struct Utility {
    /// Consortia of each kind.
    #[arg(long, default_value_t = 40)]
    replicates: u32,
    /// Numbers of sites.
    #[arg(long, value_delimiter = ',', default_value = "5,30")]
    sites: Vec<u32>,
    /// Patients of each site.
    #[arg(long, value_delimiter = ',', default_value = "100,300,1000,3000")]
    patients: Vec<u32>,
    /// Every random number follows from this.
    #[arg(long, default_value_t = 20_261_126)]
    seed: u64,
}

/// What is compared: a pooled estimate and the width of its interval.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    shift: f64,
    width: f64,
    count: f64,
    asked: f64,
}

const QUANTITIES: [&str; 4] = ["AUROC", "sensitivity", "calibration slope", "sensitivity gap"];

impl Utility {
    pub(crate) fn run(&self) {
        say(
            "| sites | patients | profile | AUROC | sensitivity | calibration slope | sensitivity gap |",
        );
        say("|---|---|---|---|---|---|---|");
        for sites in &self.sites {
            for patients in &self.patients {
                self.scenario(*sites, *patients);
            }
        }
    }

    fn scenario(&self, sites: u32, patients: u32) {
        let mut sums = vec![[Sum::default(); QUANTITIES.len()]; Profile::NAMED.len()];
        let protocol = protocol();
        for replicate in 0..self.replicates {
            let seed = u128::from(self.seed) << 64
                | u128::from(sites) << 48
                | u128::from(patients) << 32
                | u128::from(replicate);
            let mut rng = Pcg64Mcg::new(seed);
            let cohorts: Vec<Vec<Case>> = (0..sites).map(|_| cohort(patients, &mut rng)).collect();
            let open = quantities(&protocol, &report(&protocol, &cohorts, open));
            for ((_, profile), sums) in Profile::NAMED.into_iter().zip(&mut sums) {
                let release =
                    |protocol: &StudyProtocol, cases: &[Case]| under(profile, protocol, cases);
                let found = quantities(&protocol, &report(&protocol, &cohorts, release));
                for ((sum, open), found) in sums.iter_mut().zip(&open).zip(found) {
                    let Some((before, before_width)) = open else { continue };
                    sum.asked += 1.0;
                    let Some((after, width)) = found else { continue };
                    sum.shift += after - before;
                    sum.width += width / before_width;
                    sum.count += 1.0;
                }
            }
        }
        for ((name, _), sums) in Profile::NAMED.into_iter().zip(&sums) {
            let cells: Vec<String> = sums.iter().map(cell).collect();
            say(&format!("| {sites} | {patients} | {name} | {} |", cells.join(" | ")));
        }
    }
}

/// Mean shift and mean ratio of widths, and in how many consortia there was an estimate at all.
fn cell(sum: &Sum) -> String {
    if sum.count < 1.0 {
        return "none".to_owned();
    }
    let (shift, width) = (sum.shift / sum.count, sum.width / sum.count);
    let share = 100.0 * sum.count / sum.asked.max(1.0);
    let rarely = if share < 99.5 { format!(" ({share:.0} %)") } else { String::new() };
    format!("{shift:+.4}, ×{width:.2}{rarely}")
}

fn protocol() -> StudyProtocol {
    let begin = STUDY.find("[[subgroups]]").unwrap_or(0);
    let end = STUDY.find("[[endpoints]]").unwrap_or(0);
    let text = format!(
        "{}[[subgroups]]\ndimension = \"sex\"\ncolumn = \"sex\"\ncategories = [\n\
         {{ name = \"f\", values = [\"f\"] }},\n{{ name = \"m\", values = [\"m\"] }},\n]\n{}",
        &STUDY[..begin],
        STUDY[end..].replace("k = 11", "k = 5")
    );
    let draft = Draft::parse(&text).expect("the study breaks no rule");
    draft.pin_model(Sha256Digest::of(MODEL), MODEL.len() as u64).expect("it pins no model")
}

fn normal(rng: &mut Pcg64Mcg) -> f64 {
    StandardNormal.sample(rng)
}

fn uniform(rng: &mut Pcg64Mcg) -> f64 {
    StandardUniform.sample(rng)
}

/// One site's patients: logits one and a half apart, less in one sex, the site's own shift on top.
fn cohort(patients: u32, rng: &mut Pcg64Mcg) -> Vec<Case> {
    let own = TAU * normal(rng);
    (0..patients)
        .map(|patient| {
            let positive = uniform(rng) < PREVALENCE;
            let sex = if uniform(rng) < 0.5 { "f" } else { "m" };
            let apart = 1.0 + own / 2.0 - if sex == "f" { GAP / 2.0 } else { 0.0 };
            let logit = -0.9 + normal(rng) * 1.3 + if positive { apart } else { -apart / 2.0 };
            let score = GridScore::from_logit(Logit::new(logit).expect("finite"));
            Case { patient, positive, scanner: "", sex, score }
        })
        .collect()
}

/// Everything, as if nobody had to be protected.
fn open(protocol: &StudyProtocol, cases: &[Case]) -> Outcome {
    let found = support::binary(&support::summary(cases, protocol)).clone();
    let Some(overall) = found.overall else { return Outcome::Insufficient };
    let cells = found.dimensions.into_iter().flat_map(|table| {
        let dimension = table.dimension;
        table.leaves.into_iter().filter_map(move |leaf| {
            let performance = leaf.group.map_or(Cell::Suppressed, |g| Cell::Released(g.by_patient));
            Some(SubgroupCell {
                dimension: dimension.clone(),
                category: leaf.category?,
                performance,
            })
        })
    });
    Outcome::Released(Box::new(Release {
        terms: Terms::exact(Profile::Standard, 5),
        attrition: Vec::new(),
        overall: overall.by_patient,
        subgroups: cells.collect(),
    }))
}

/// What a site with this profile and k = 11 releases.
fn under(profile: Profile, protocol: &StudyProtocol, cases: &[Case]) -> Outcome {
    let text = format!("profile = \"{}\"\nk = 11\n", profile.as_str());
    let policy = SitePolicy::parse(text.as_bytes()).expect("a preset").for_study(protocol);
    let cases: Vec<Case> = if policy.terms.is_rounded() {
        cases.iter().map(|case| Case { score: cell_centre(case.score), ..*case }).collect()
    } else {
        cases.to_vec()
    };
    let summary = SiteLocal::new(support::summary(&cases, protocol));
    let history = SiteLocal::new(History::default());
    let steps = cases.iter().map(|case| i64::from(case.score.steps())).sum::<i64>();
    let noise_seed = *Sha256Digest::of(&steps.to_le_bytes()).as_bytes();
    let evidence = Evidence { summary: &summary, history: &history, now_ms: 0, noise_seed };
    let locked = LockedProtocol::new(protocol.clone()).expect("it breaks no rule");
    let header = support::header(&locked, "any");
    match Gate::new(policy, protocol).vet(header.clone(), &evidence) {
        Ok(vetted) => vetted.value().outcome.clone(),
        Err(withheld) => {
            let answer = match withheld.outcome() {
                Outcome::Insufficient => NoAggregates::Insufficient,
                _ => NoAggregates::Refused,
            };
            let vetted = Vetted::without_aggregates(header, answer, None);
            vetted.expect("ids and digests").value().outcome.clone()
        }
    }
}

fn report(
    protocol: &StudyProtocol,
    cohorts: &[Vec<Case>],
    release: impl Fn(&StudyProtocol, &[Case]) -> Outcome,
) -> Report {
    let locked = LockedProtocol::new(protocol.clone()).expect("it breaks no rule");
    let mut results: BTreeMap<SiteId, SiteResult> = BTreeMap::new();
    let mut sites = Vec::new();
    for (number, cases) in cohorts.iter().enumerate() {
        let site: SiteId = format!("site-{number:03}").parse().expect("an id");
        let result = SiteResult {
            header: support::header(&locked, site.as_str()),
            outcome: release(protocol, cases),
        };
        let status = match result.outcome {
            Outcome::Insufficient => SiteStatus::Insufficient,
            Outcome::Refused | Outcome::Failed(_) => SiteStatus::Refused,
            _ => SiteStatus::Released,
        };
        let digest = Canonical::new(result.clone()).expect("in range").digest();
        sites.push(SiteRecord {
            site: site.clone(),
            dispatched_at_ms: 0,
            status,
            result: Some(ResultDigest(digest)),
            recorded_at_ms: Some(1),
            earlier_dispatches: 0,
            earlier_dispatches_any_model: None,
        });
        results.insert(site, result);
    }
    let round = RoundRecord {
        software_version: "bench".to_owned(),
        report_revision: fedval_report::REPORT_REVISION,
        study: protocol.id.clone(),
        round: "chest-r1".parse().expect("an id"),
        protocol: locked.digest(),
        model: protocol.model.digest,
        opened_at_ms: 0,
        closed_at_ms: Some(2),
        protocols: Vec::new(),
        sites,
    };
    let history = ProtocolHistory::new(vec![locked]).expect("it amends nothing");
    assemble(&history, &round, &results).expect("the documents belong together")
}

/// Estimate and width of each of [`QUANTITIES`].
fn quantities(protocol: &StudyProtocol, report: &Report) -> Vec<Option<(f64, f64)>> {
    let point = &protocol.operating_points[1].name;
    let sensitivity = MetricId::Sensitivity(point.clone());
    let pooled = |syntheses: &fedval_report::Syntheses, id: &MetricId| {
        let synthesis = syntheses.get(id)?.value()?;
        let [low, high] = *synthesis.ci.value()?;
        Some((synthesis.estimate, high - low))
    };
    let of = |category: &str| {
        let group = report.subgroups.iter().find(|group| group.category.as_str() == category)?;
        pooled(&group.synthesis, &sensitivity)
    };
    let gap =
        of("m").zip(of("f")).map(|((m, m_width), (f, f_width))| (m - f, m_width.hypot(f_width)));
    vec![
        pooled(&report.synthesis, &MetricId::Auroc),
        pooled(&report.synthesis, &sensitivity),
        pooled(&report.synthesis, &MetricId::CalibrationSlope),
        gap,
    ]
}
