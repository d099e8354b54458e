//! Random-effects synthesis of one metric across sites.

use fedval_study::protocol::{Endpoint, EndpointDirection, StudyProtocol};
use fedval_study::{ConditionMetric, MetricId, SiteId};
use rayon::prelude::*;

use super::aggregates::Aggregates;
use super::contribution::{Member, on_scale};
use super::glmm::Binomial;
use super::normal::Normal;
use super::proportion::Proportion;
use super::{conditions, detection, measures, metric};
use crate::report::{
    Acceptance, Alternative, Estimable, Excluded, InfluenceMeasures, LeaveOneOut, Reason, Scale,
    SiteInfluence, SiteWeight, Syntheses, Synthesis, Warning,
};

/// A refit without one site, on the analysis scale: mean, limits, τ².
pub(super) type Refit = Result<(f64, [f64; 2], f64), Reason>;

/// One fitted model, all on the analysis scale.
pub(super) struct Fit {
    pub(super) method: &'static str,
    pub(super) mu: f64,
    pub(super) se: f64,
    pub(super) ci: [f64; 2],
    pub(super) tau2: f64,
    pub(super) prediction: Result<[f64; 2], Reason>,
    pub(super) weights: Option<Vec<f64>>,
    pub(super) heterogeneity: Option<Heterogeneity>,
    /// The probability that a new site's value is at least a limit.
    pub(super) at_least: Box<dyn Fn(f64) -> Result<f64, Reason>>,
}

/// What only the normal model has.
pub(super) struct Heterogeneity {
    pub(super) q: f64,
    pub(super) q_p: f64,
    pub(super) i2_from_tau2: f64,
    pub(super) i2_from_q: f64,
    pub(super) tau2_ci: Result<[f64; 2], Reason>,
}

/// From this I² on sites differ so much that their variance is known well enough for a prediction; below it
/// the interval was simulated to hold a new site too seldom.
const MUCH: f64 = 0.75;

/// Fewer cases of a class than this are few; among more than so many times as many, too few.
const FEW: u64 = 30;
const SHARE: u64 = 20;

/// So many sites show what all of them are biased by.
const MANY: usize = 5;

/// The model that answers for a metric, with the sites that it uses.
struct Answered<'a> {
    fit: Fit,
    sites: Vec<&'a SiteId>,
    excluded: Vec<Excluded>,
    leave_one_out: Vec<Refit>,
    influence: Vec<Result<InfluenceMeasures, Reason>>,
    alternatives: Vec<(&'static str, Result<Fit, Reason>)>,
    warnings: Vec<Warning>,
}

/// Up to so many sites, a synthesis is told without each in turn. Of more, no single one moves it.
const MOST_LEFT_OUT: usize = 200;

/// How much is told of a synthesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Everything: also without each site in turn, and by other methods.
    Whole,
    /// The pooled answer alone. A hundred groups of a thousand sites, each refitted without each site, would
    /// take hours and be read by nobody.
    Pooled,
}

impl Detail {
    fn leaves_out(self, sites: usize) -> bool {
        self == Self::Whole && sites <= MOST_LEFT_OUT
    }
}

/// Every metric of the protocol across whole cohorts.
pub(super) fn all(plan: &StudyProtocol, members: &[Member<'_>]) -> Syntheses {
    metric::ids(plan)
        .into_par_iter()
        .with_max_len(1)
        .map(|id| {
            let synthesis = one(plan, &id, members, Detail::Whole);
            (id, synthesis.into())
        })
        .collect()
}

/// One metric across one group of each site.
pub(super) fn one(
    plan: &StudyProtocol,
    id: &MetricId,
    members: &[Member<'_>],
    detail: Detail,
) -> Result<Synthesis, Reason> {
    if matches!(id, MetricId::Ece | MetricId::Cpm | MetricId::OfCondition(ConditionMetric::Ece, _))
    {
        return Err(Reason::NoSamplingError);
    }
    if *id == MetricId::IntraclassCorrelation {
        return Err(Reason::NotDefinedForMethod);
    }
    let is_share = matches!(
        id,
        MetricId::Sensitivity(_)
            | MetricId::Specificity(_)
            | MetricId::Accuracy
            | MetricId::ClassSensitivity(_)
            | MetricId::ClassSpecificity(_)
            | MetricId::LesionSensitivity(_)
    );
    let noisy = |member: &Member<'_>| matches!(member.aggregates, Aggregates::Noisy { .. });
    let answered = if is_share && !members.is_empty() && !members.iter().any(noisy) {
        shares(plan, id, members, detail)?
    } else {
        continuous(plan, id, members, detail)?
    };
    let endpoints: Vec<_> = plan.endpoints.iter().filter(|e| e.metric == *id).collect();
    Ok(section(Way { id, scale: Scale::of(id) }, answered, &endpoints, detail))
}

/// Any metric with an estimate and an error on its scale.
fn continuous<'a>(
    plan: &StudyProtocol,
    id: &MetricId,
    members: &[Member<'a>],
    detail: Detail,
) -> Result<Answered<'a>, Reason> {
    let level = plan.analysis.level;
    let mut contributions = Vec::new();
    let (mut sites, mut excluded) = (Vec::new(), Vec::new());
    for member in members {
        match on_scale(plan, id, member) {
            Ok(contribution) => {
                contributions.push(contribution);
                sites.push(member.site);
            }
            Err(reason) => excluded.push(Excluded { site: member.site.clone(), reason }),
        }
    }
    let normal = Normal::new(&contributions, level)?;
    let is_whole = detail == Detail::Whole;
    let alternatives = if is_whole { normal.other_estimators() } else { Vec::new() };
    let warnings = of_small_sites(plan, id, members);
    Ok(Answered {
        fit: normal.primary()?,
        sites,
        excluded,
        leave_one_out: if detail.leaves_out(contributions.len()) {
            normal.leave_one_out()
        } else {
            Vec::new()
        },
        influence: if detail.leaves_out(contributions.len()) {
            normal.influence()
        } else {
            Vec::new()
        },
        alternatives: alternatives
            .into_iter()
            .map(|(name, fit)| (name, fit.map_err(Reason::from)))
            .collect(),
        warnings,
    })
}

/// Where intervals of AUROCs were simulated to hold the truth too seldom: deploy/docs/statistics.md.
fn of_small_sites(plan: &StudyProtocol, id: &MetricId, members: &[Member<'_>]) -> Vec<Warning> {
    let sides = |member: &Member<'_>| sides(plan, id, member.aggregates);
    let small: Vec<_> = members.iter().filter_map(sides).filter(|(few, _)| *few < FEW).collect();
    let mut warnings = Vec::new();
    if small.iter().any(|(few, many)| few.saturating_mul(SHARE) < *many) {
        warnings.push(Warning::FewOfOneClass);
    }
    if members.len() >= MANY && 2 * small.len() > members.len() {
        warnings.push(Warning::ManySmallSites);
    }
    warnings
}

/// Cases on the smaller and on the larger side of an area; `None` of what is no area. Of the mean of several, those of
/// the area with the fewest on a side.
fn sides(plan: &StudyProtocol, id: &MetricId, aggregates: Aggregates<'_>) -> Option<(u64, u64)> {
    let apart = |one: u64, other: u64| (one.min(other), one.max(other));
    if *id == MetricId::Auroc {
        return aggregates.cases().map(|(n_pos, n_neg)| apart(n_pos, n_neg));
    }
    if let Aggregates::Conditions(performance) = aggregates {
        return conditions::sides(id, performance);
    }
    let Aggregates::Classes(performance) = aggregates else { return None };
    let (sizes, all) = (performance.sizes(), performance.patients());
    let side = |size: &u64| apart(*size, all.saturating_sub(*size));
    match id {
        MetricId::MacroAuroc => sizes.iter().map(side).min(),
        MetricId::ClassAuroc(class) => {
            let place = plan.task.classes().iter().position(|of| of.name == *class)?;
            sizes.get(place).map(side)
        }
        _ => None,
    }
}

/// A proportion: logit-normal, unless an error cell is empty somewhere. Dropping that site, or
/// adding a half to its cells, would bias the mean; the exact-binomial model takes it as it is, lesions as so many as
/// their errors between patients are worth.
fn shares<'a>(
    plan: &StudyProtocol,
    id: &MetricId,
    members: &[Member<'a>],
    detail: Detail,
) -> Result<Answered<'a>, Reason> {
    let level = plan.analysis.level;
    let (mut used, mut excluded) = (Vec::new(), Vec::new());
    for member in members {
        match member.calls.get(id) {
            Ok(proportion) if proportion.cases > 0 => used.push((member, proportion)),
            Ok(_) => {
                excluded.push(Excluded { site: member.site.clone(), reason: Reason::EmptyInput });
            }
            Err(reason) => excluded.push(Excluded { site: member.site.clone(), reason }),
        }
    }
    let counts = |(member, proportion): &(&Member<'_>, Proportion<'_>)| {
        if let Aggregates::Detection(found) = member.aggregates {
            detection::effective(found)
        } else {
            (proportion.successes, proportion.cases)
        }
    };
    let binomial = Binomial::new(used.iter().map(counts).collect(), level);
    let clustered = used.iter().any(|(_, proportion)| proportion.clusters.is_some());
    if !used.iter().any(|(_, proportion)| proportion.has_empty_cell()) {
        let mut answered = continuous(plan, id, members, detail)?;
        if detail == Detail::Pooled {
            return Ok(answered);
        }
        let exact = binomial.primary().map_err(Reason::from);
        answered.alternatives.insert(0, ("binomial_glmm_ml", exact));
        return Ok(answered);
    }
    Ok(Answered {
        fit: binomial.primary()?,
        sites: used.iter().map(|(member, _)| member.site).collect(),
        excluded,
        leave_one_out: if detail.leaves_out(used.len()) {
            binomial.leave_one_out()
        } else {
            Vec::new()
        },
        influence: Vec::new(),
        alternatives: vec![("reml_hartung_knapp", Err(Reason::EmptyErrorCell))],
        warnings: if clustered { vec![Warning::ClusteringIgnored] } else { Vec::new() },
    })
}

/// The way from the analysis scale to the metric's own.
#[derive(Clone, Copy)]
struct Way<'a> {
    id: &'a MetricId,
    scale: Scale,
}

impl Way<'_> {
    fn back(self, number: f64) -> f64 {
        self.scale.back(number)
    }

    /// Limits, no further than the metric's values go. Means of masks are pooled on their own scale, since the mean over
    /// hospitals of mean overlaps is what a reader asks for, and its image on the logit scale is another quantity; what
    /// normal theory puts beyond an end is cut off. A verdict is the same: no limit lies at an end or beyond it.
    fn limits(self, [lower, upper]: [f64; 2]) -> [f64; 2] {
        measures::held(self.id, [self.back(lower), self.back(upper)])
    }
}

/// Moves an answer to the metric's own scale.
fn section(
    way: Way<'_>,
    answered: Answered<'_>,
    endpoints: &[&Endpoint],
    detail: Detail,
) -> Synthesis {
    let Answered { fit, sites, excluded, leave_one_out, influence, alternatives, warnings } =
        answered;
    let het = fit.heterogeneity.as_ref().ok_or(Reason::NotDefinedForMethod);
    let of = |number: fn(&Heterogeneity) -> f64| Estimable::from(het.map(number));
    let weight = |index: usize| fit.weights.as_ref().and_then(|w| w.get(index).copied());
    Synthesis {
        k: u64::try_from(sites.len()).unwrap_or(u64::MAX),
        method: fit.method.to_owned(),
        scale: way.scale,
        estimate: way.back(fit.mu),
        ci: Estimable::Estimated(way.limits(fit.ci)),
        prediction_interval: fit.prediction.map(|limits| way.limits(limits)).into(),
        mu: fit.mu,
        se: Estimable::Estimated(fit.se),
        tau2: fit.tau2,
        tau2_ci: het.and_then(|het| het.tau2_ci).into(),
        i2: of(|het| het.i2_from_tau2),
        i2_from_tau2: of(|het| het.i2_from_tau2),
        i2_from_q: of(|het| het.i2_from_q),
        q: of(|het| het.q),
        q_p: of(|het| het.q_p),
        weights: sites
            .iter()
            .enumerate()
            .take_while(|_| detail == Detail::Whole)
            .map(|(index, site)| SiteWeight {
                site: (*site).clone(),
                weight: weight(index).ok_or(Reason::NotDefinedForMethod).into(),
            })
            .collect(),
        acceptance: endpoints.iter().map(|of| acceptance(way.scale, &fit, of)).collect(),
        leave_one_out: sites
            .iter()
            .zip(leave_one_out)
            .map(|(site, refit)| without(way, site, refit))
            .collect(),
        influence: sites
            .iter()
            .zip(influence)
            .map(|(site, measures)| SiteInfluence {
                site: (*site).clone(),
                measures: measures.into(),
            })
            .collect(),
        alternatives: alternatives
            .into_iter()
            .map(|(name, fit)| alternative(way, name, &fit))
            .collect(),
        warnings: all_warnings(sites.len(), het.ok(), &excluded, warnings),
        excluded,
    }
}

fn acceptance(scale: Scale, fit: &Fit, endpoint: &Endpoint) -> Acceptance {
    let at_least = scale
        .forward(endpoint.limit)
        .ok_or(Reason::InvalidInput)
        .and_then(|limit| (fit.at_least)(limit));
    let probability = match endpoint.direction {
        EndpointDirection::AtLeast => at_least,
        // The distribution is continuous: exactly at the limit has no probability.
        EndpointDirection::AtMost => at_least.map(|at_least| 1.0 - at_least),
    };
    Acceptance {
        endpoint: endpoint.name.clone(),
        limit: endpoint.limit,
        direction: endpoint.direction,
        probability: probability.into(),
    }
}

fn without(way: Way<'_>, site: &SiteId, refit: Refit) -> LeaveOneOut {
    LeaveOneOut {
        site: site.clone(),
        estimate: refit.map(|(mu, ..)| way.back(mu)).into(),
        ci: refit.map(|(_, ci, _)| way.limits(ci)).into(),
        tau2: refit.map(|(.., tau2)| tau2).into(),
    }
}

fn alternative(way: Way<'_>, name: &str, fit: &Result<Fit, Reason>) -> Alternative {
    let of = |number: &dyn Fn(&Fit) -> f64| fit.as_ref().map(number).map_err(|reason| *reason);
    let limits = |limits: &dyn Fn(&Fit) -> Result<[f64; 2], Reason>| {
        fit.as_ref().map_err(|reason| *reason).and_then(limits).map(|ends| way.limits(ends))
    };
    Alternative {
        method: fit.as_ref().map_or(name, |fit| fit.method).to_owned(),
        estimate: of(&|fit| way.back(fit.mu)).into(),
        ci: limits(&|fit| Ok(fit.ci)).into(),
        tau2: of(&|fit| fit.tau2).into(),
        prediction_interval: limits(&|fit| fit.prediction).into(),
    }
}

fn all_warnings(
    k: usize,
    heterogeneity: Option<&Heterogeneity>,
    excluded: &[Excluded],
    mut warnings: Vec<Warning>,
) -> Vec<Warning> {
    match k {
        0 | 1 => {}
        2 => warnings.push(Warning::TwoSitesCarryAlmostNoInformation),
        3 | 4 => warnings.push(Warning::PredictionFromFewSites),
        _ if heterogeneity.is_none_or(|found| found.i2_from_tau2 < MUCH) => {
            warnings.push(Warning::PredictionCoversLess);
        }
        _ => {}
    }
    if !excluded.is_empty() {
        warnings.push(Warning::SitesExcluded);
    }
    warnings.sort_unstable();
    warnings
}
