//! Operating points across sites: accuracy, predictive values, net benefit.

use fedval_stats::aggregate::TwoByTwo;
use fedval_stats::bivariate::{Bivariate, reitsma};
use fedval_stats::{Interval, NotEstimable, decision_curve};
use fedval_study::SiteId;
use fedval_study::protocol::{OperatingPoint, StudyProtocol};
use rayon::prelude::*;

use super::conditions;
use super::contribution::Member;
use crate::report::{
    Estimable, JointSynthesis, NetBenefit, OperatingPointSummary, PredictiveValues,
    PrevalenceSource, Reason, SiteNetBenefit, WithLimits,
};

/// One summary for each operating point, in the protocol's order.
pub(super) fn all(plan: &StudyProtocol, members: &[Member<'_>]) -> Vec<OperatingPointSummary> {
    let points = plan.operating_points.par_iter().with_max_len(1).enumerate();
    points.map(|(place, point)| one(plan, (place, point), members)).collect()
}

fn one(
    plan: &StudyProtocol,
    (place, point): (usize, &OperatingPoint),
    members: &[Member<'_>],
) -> OperatingPointSummary {
    let level = plan.analysis.level;
    let tables: Vec<(&SiteId, TwoByTwo)> =
        members.iter().filter_map(|member| Some((member.site, table(member, place)?))).collect();
    let both_classes: Vec<TwoByTwo> = tables
        .iter()
        .map(|(_, table)| *table)
        .filter(|table| table.n_pos() > 0 && table.n_neg() > 0)
        .collect();
    let sum = tables.iter().fold(TwoByTwo::default(), |sum, (_, table)| sum.merge(*table));
    OperatingPointSummary {
        name: point.name.clone(),
        threshold: point.threshold,
        k: u64::try_from(tables.len()).unwrap_or(u64::MAX),
        joint: joint(&both_classes, &sum, plan, point).map_err(Reason::from).into(),
        net_benefit: tables
            .iter()
            .map(|(site, table)| SiteNetBenefit {
                site: (*site).clone(),
                value: net_benefit(table, point.threshold, level).into(),
            })
            .collect(),
        pooled_net_benefit: net_benefit(&sum, point.threshold, level).into(),
    }
}

/// The four counts; `None` where one of them stayed at the site.
fn table(member: &Member<'_>, place: usize) -> Option<TwoByTwo> {
    let [Ok(with), Ok(without)] = member.calls.at(place) else { return None };
    Some(TwoByTwo {
        tp: with.successes,
        fn_: with.cases.saturating_sub(with.successes),
        fp: without.cases.saturating_sub(without.successes),
        tn: without.successes,
    })
}

fn joint(
    tables: &[TwoByTwo],
    sum: &TwoByTwo,
    plan: &StudyProtocol,
    point: &OperatingPoint,
) -> Result<JointSynthesis, NotEstimable> {
    let level = plan.analysis.level;
    let fit = reitsma(tables)?;
    let ratios = fit.likelihood_ratios(level)?;
    Ok(JointSynthesis {
        k: u64::try_from(fit.k).unwrap_or(u64::MAX),
        method: "reitsma_reml".to_owned(),
        continuity_corrected: fit.is_corrected,
        sensitivity: with_limits(&fit.sensitivity(level)?),
        specificity: with_limits(&fit.specificity(level)?),
        correlation: fit.correlation().map_err(Reason::from).into(),
        mean: fit.mean,
        covariance: fit.covariance,
        between: fit.between,
        positive_likelihood_ratio: with_limits(&ratios.positive),
        negative_likelihood_ratio: with_limits(&ratios.negative),
        predictive_values: predictive_values(&fit, sum, plan, point)?,
    })
}

/// At every prevalence that the protocol states, of several conditions for the one that is called, and at that of the
/// cases.
fn predictive_values(
    fit: &Bivariate,
    sum: &TwoByTwo,
    plan: &StudyProtocol,
    point: &OperatingPoint,
) -> Result<Vec<PredictiveValues>, NotEstimable> {
    #[expect(clippy::cast_precision_loss, reason = "a share of cases, shown to three digits")]
    let observed = sum.n_pos() as f64 / sum.n().max(1) as f64;
    let own = conditions::cut_by(plan, &point.name);
    let stated = own.map_or(&plan.analysis.prevalences, |condition| &condition.prevalences);
    let stated = stated.iter().map(|share| (*share, PrevalenceSource::Protocol));
    stated
        .chain(std::iter::once((observed, PrevalenceSource::Observed)))
        .map(|(prevalence, source)| {
            let values = fit.predictive_values(prevalence, plan.analysis.level)?;
            Ok(PredictiveValues {
                prevalence,
                source,
                positive: with_limits(&values.positive),
                negative: with_limits(&values.negative),
            })
        })
        .collect()
}

fn net_benefit(table: &TwoByTwo, threshold: f64, level: f64) -> Result<NetBenefit, Reason> {
    let found = decision_curve::net_benefit(table, threshold)?;
    Ok(NetBenefit {
        estimate: found.net_benefit,
        ci: Estimable::from(
            found.interval(level).map(|limits| [limits.lower, limits.upper]).map_err(Reason::from),
        ),
        treat_all: found.treat_all,
    })
}

const fn with_limits(interval: &Interval) -> WithLimits {
    WithLimits { estimate: interval.estimate, ci: [interval.lower, interval.upper] }
}
