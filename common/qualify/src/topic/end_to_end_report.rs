//! The whole way: per-site estimates, three syntheses, the bivariate model, pooled subgroups.
//!
//! A site without an estimate is left out of that synthesis, and `sites` says who is in.

use fedval_stats::aggregate::{RankSums, TwoByTwo, rank_sums};
use fedval_stats::bivariate::reitsma;
use fedval_stats::calibration::{self, Covariance};
use fedval_stats::scale::expit;
use fedval_stats::synthesis::{SiteEstimates, Tau2Method, Test, common_effect, random_effects};
use fedval_stats::{NotEstimable, auroc, proportion};
use serde_json::{Value, json};

use super::columns::{calibration_cases, count_true, ranked, to_number, two_by_two};
use crate::input::{Input, Malformed};
use crate::output::{NOT_ESTIMABLE, cell, ends};

/// The clip of probabilities for their logits.
const CLIP: f64 = 1e-6;

/// A slope with an error from here on is taken for one that is separated: the cases' rule.
const SEPARATED: f64 = 5.0;

/// `(estimate, se)` of one site for one synthesis.
type Contribution = Result<(f64, f64), NotEstimable>;

struct Site<'c> {
    name: &'c str,
    events: Vec<bool>,
    p: Vec<f64>,
    groups: Vec<&'c str>,
}

impl<'c> Site<'c> {
    fn read(site: &Input<'c>) -> Result<Self, Malformed> {
        let groups = site.at("group")?.list()?;
        Ok(Self {
            name: site.at("site")?.text()?,
            events: site.at("y")?.flags()?,
            p: site.at("p")?.numbers()?,
            groups: groups.iter().map(Input::text).collect::<Result<_, _>>()?,
        })
    }

    fn rows(&self) -> Vec<(f64, bool)> {
        self.p.iter().copied().zip(self.events.iter().copied()).collect()
    }
}

/// What one site gives.
struct Estimates {
    table: TwoByTwo,
    auc: Contribution,
    oe: Contribution,
    slope: Contribution,
    row: Value,
}

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let (level, threshold) = (input.at("level")?.number()?, input.at("threshold")?.number()?);
    let sites: Vec<Site<'_>> =
        input.at("sites")?.list()?.iter().map(Site::read).collect::<Result<_, _>>()?;
    let estimates: Vec<Estimates> =
        sites.iter().map(|site| estimates(site, threshold, level)).collect();
    let pool = |part: fn(&Estimates) -> Contribution, back: fn(f64) -> f64| {
        let contributions = sites.iter().zip(&estimates);
        let contributions =
            contributions.filter_map(|(site, of)| Some((site.name, part(of).ok()?)));
        pooled(&contributions.collect::<Vec<_>>(), back, level)
    };
    Ok(json!({
        "per_site": estimates.iter().map(|of| &of.row).collect::<Vec<_>>(),
        "auc": pool(|of| of.auc, expit),
        "oe": pool(|of| of.oe, f64::exp),
        "slope": pool(|of| of.slope, |slope| slope),
        "bivariate": bivariate(&sites, &estimates, level),
        "pooled_subgroups": subgroups(&sites, threshold),
    }))
}

fn estimates(site: &Site<'_>, threshold: f64, level: f64) -> Estimates {
    let rows = site.rows();
    let (sums, _) = rank_sums(&ranked(&site.p, &site.events, None));
    let table = two_by_two(&rows, threshold);
    let (n_pos, n_neg) = (table.n_pos(), table.n_neg());
    let expected: f64 = site.p.iter().sum();
    let auroc = auroc::delong(&sums);
    let line =
        calibration::fit(&calibration_cases(&site.p, &site.events, CLIP), Covariance::ModelBased);
    let line = line.and_then(|line| {
        let se = line.covariance[1][1].sqrt();
        if se < SEPARATED { Ok((line, se)) } else { Err(NotEstimable::Separation) }
    });
    let oe = if n_pos > 0 { Ok(to_number(n_pos) / expected) } else { Err(NotEstimable::NoEvents) };
    let row = json!({
        "site": site.name,
        "n_pos": n_pos, "n_neg": n_neg,
        "TP": table.tp, "FN": table.fn_, "FP": table.fp, "TN": table.tn,
        "sens": cell(proportion::estimate(table.tp, n_pos)),
        "spec": cell(proportion::estimate(table.tn, n_neg)),
        "ci_sens": ends(proportion::wilson(table.tp, n_pos, level)),
        "ci_spec": ends(proportion::wilson(table.tn, n_neg, level)),
        "oe": cell(oe),
        "brier": cell(calibration::brier_score(&rows)),
        "auc": cell(auroc::auc_of(&sums)),
        "delong_var": cell(auroc.map(|auroc| auroc.variance)),
        "cal_intercept": cell(line.map(|(line, _)| line.intercept)),
        "cal_slope": cell(line.map(|(line, _)| line.slope)),
        "cal_slope_se": cell(line.map(|(_, se)| se)),
    });
    Estimates {
        table,
        auc: auroc.and_then(|auroc| auroc::logit_scale(&auroc)),
        oe: calibration::log_oe(n_pos, expected, n_pos + n_neg),
        slope: line.map(|(line, se)| (line.slope, se)),
        row,
    }
}

/// REML with plain Hartung–Knapp over the sites that have an estimate; the common effect of a single one.
fn pooled(contributions: &[(&str, (f64, f64))], back: fn(f64) -> f64, level: f64) -> Value {
    let names: Vec<&str> = contributions.iter().map(|(name, _)| *name).collect();
    let (yi, vi) = contributions.iter().map(|(_, (y, se))| (*y, se * se)).unzip();
    let sites = SiteEstimates::new(yi, vi);
    let row = |numbers: [f64; 8], prediction: Result<(f64, f64), NotEstimable>| {
        let [estimate, se, tau2, i2, q, q_p, lower, upper] = numbers;
        let limits = |limits: (f64, f64)| json!([back(limits.0), back(limits.1)]);
        let none = json!([NOT_ESTIMABLE, NOT_ESTIMABLE]);
        json!({
            "sites": names, "k": names.len(), "estimate": estimate, "se": se, "tau2": tau2,
            "I2_percent": 100.0 * i2, "Q": q, "Q_p": q_p, "back": back(estimate),
            "back_ci": limits((lower, upper)),
            "back_pi": prediction.map_or(none, limits),
        })
    };
    let fitted =
        sites.map_err(|_| NotEstimable::EmptyInput).and_then(|sites| {
            match random_effects(&sites, Tau2Method::Reml, Test::HartungKnapp, level) {
                Ok(fit) => Ok(row(
                    [
                        fit.mu,
                        fit.se_mu,
                        fit.tau2,
                        fit.i2_from_tau2,
                        fit.q,
                        fit.q_p,
                        fit.ci_lower,
                        fit.ci_upper,
                    ],
                    fit.prediction_interval(level),
                )),
                Err(reason) => common_effect(&sites, level).map(|fit| {
                    let numbers =
                        [fit.mu, fit.se_mu, 0.0, 0.0, fit.q, fit.q_p, fit.ci_lower, fit.ci_upper];
                    row(numbers, Err(reason))
                }),
            }
        });
    fitted.unwrap_or_else(|_| json!({"sites": names, "k": names.len()}))
}

fn bivariate(sites: &[Site<'_>], estimates: &[Estimates], level: f64) -> Value {
    let both = |table: &TwoByTwo| table.n_pos() > 0 && table.n_neg() > 0;
    let kept: Vec<(&str, TwoByTwo)> = sites
        .iter()
        .zip(estimates)
        .filter(|(_, of)| both(&of.table))
        .map(|(site, of)| (site.name, of.table))
        .collect();
    let fit = reitsma(&kept.iter().map(|(_, table)| *table).collect::<Vec<_>>());
    json!({
        "sites": kept.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "sens": cell(fit.and_then(|fit| fit.sensitivity(level)).map(|sens| sens.estimate)),
        "spec": cell(fit.and_then(|fit| fit.specificity(level)).map(|spec| spec.estimate)),
    })
}

/// All sites' cases of each group, in the order of the groups' names.
fn subgroups(sites: &[Site<'_>], threshold: f64) -> Value {
    let mut names: Vec<&str> = sites.iter().flat_map(|site| site.groups.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let group = |name: &&str| {
        let (mut p, mut events) = (Vec::new(), Vec::new());
        for site in sites {
            for ((own, p_of), event) in site.groups.iter().zip(&site.p).zip(&site.events) {
                if own == name {
                    p.push(*p_of);
                    events.push(*event);
                }
            }
        }
        subgroup(name, &p, &events, threshold)
    };
    names.iter().map(group).collect()
}

fn subgroup(name: &str, p: &[f64], events: &[bool], threshold: f64) -> Value {
    let rows: Vec<(f64, bool)> = p.iter().copied().zip(events.iter().copied()).collect();
    let table = two_by_two(&rows, threshold);
    let sums: RankSums = rank_sums(&ranked(p, events, None)).0;
    json!({
        "group": name,
        "n": p.len(),
        "events": count_true(events),
        "auc": cell(auroc::auc_of(&sums)),
        "delong_var": cell(auroc::delong(&sums).map(|auroc| auroc.variance)),
        "sens": cell(proportion::estimate(table.tp, table.n_pos())),
        "fpr": cell(proportion::estimate(table.fp, table.n_neg())),
    })
}
