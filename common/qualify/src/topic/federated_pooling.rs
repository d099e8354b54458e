//! Several sites: exactly pooled, pooled by histogram, and within sites.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::{Edges, RankSums, rank_sums};
use fedval_stats::auroc::{auc_of, delong};
use fedval_stats::calibration::{self, Covariance};
use fedval_stats::pooled_roc::{ScoreHistogram, average_precision, pooled_auroc, within_sites};
use serde_json::{Map, Value, json};

use super::columns::{calibration_cases, count_true, ranked, to_number};
use crate::input::{Input, Malformed};
use crate::output::cell;

type Site = (Vec<bool>, Vec<f64>);

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let site = |site: &Input<'_>| Ok((site.at("y")?.flags()?, site.at("score")?.numbers()?));
    let sites: Vec<Site> = input.at("sites")?.list()?.iter().map(site).collect::<Result<_, _>>()?;
    let labels: Vec<bool> = sites.iter().flat_map(|(labels, _)| labels.clone()).collect();
    let scores: Vec<f64> = sites.iter().flat_map(|(_, scores)| scores.clone()).collect();
    let cases = ranked(&scores, &labels, None);
    let (pooled, _) = rank_sums(&cases);
    let of_site = |(labels, scores): &Site| rank_sums(&ranked(scores, labels, None)).0;
    let sums: Vec<RankSums> = sites.iter().map(of_site).collect();
    let within = within_sites(&sums);
    let exact = auc_of(&pooled);
    let between = exact.and_then(|exact| within.map(|within| exact - within));
    let mut result = Map::new();
    result.insert(
        "pooled_exact".to_owned(),
        json!({
            "auc": cell(exact),
            "delong_se": cell(delong(&pooled).map(|auroc| auroc.se)),
            "n_pos": pooled.n_pos,
            "n_neg": pooled.n_neg,
            "average_precision": cell(average_precision(&cases)),
        }),
    );
    result.insert("per_site".to_owned(), sums.iter().map(site_row).collect());
    result.insert("within_site_pair_weighted_auc".to_owned(), cell(within));
    result.insert("between_site_component".to_owned(), cell(between));
    for bins in input.at("bins")?.list()? {
        let name = format!("hist_{}", bins.count()?);
        result.insert(name, histogram(&bins, &sites)?);
    }
    let clip = input.at("clip_eps_for_logit")?.number()?;
    result.insert("calibration_exact".to_owned(), calibration(&scores, &labels, clip));
    Ok(Value::Object(result))
}

fn site_row(sums: &RankSums) -> Value {
    json!({
        "n_pos": sums.n_pos,
        "n_neg": sums.n_neg,
        "auc": cell(auc_of(sums)),
        "delong_var": cell(delong(sums).map(|auroc| auroc.variance)),
    })
}

/// Equal bins of probability, merged over sites.
fn histogram(bins: &Input<'_>, sites: &[Site]) -> Result<Value, Malformed> {
    let count = bins.size()?;
    let step = 1.0 / bins.number()?;
    let edges = (0..bins.count()?).map(|edge| step * to_number(edge)).chain([1.0]).collect();
    let edges = bins.accept(Edges::new(edges))?;
    let mut merged = ScoreHistogram::of(count, []);
    for (labels, scores) in sites {
        let binned = scores.iter().zip(labels);
        let binned = binned.filter_map(|(score, label)| Some((edges.bin_of(*score)?, *label)));
        merged = bins.accept(merged.merge(&ScoreHistogram::of(count, binned)))?;
    }
    let area = pooled_auroc(&merged);
    Ok(json!({
        "auc_mid": cell(area.map(|area| area.mid)),
        "auc_lower_bound": cell(area.map(|area| area.lower_bound)),
        "auc_upper_bound": cell(area.map(|area| area.upper_bound)),
        "delong_se": cell(area.and_then(|area| area.se)),
    }))
}

fn calibration(p: &[f64], events: &[bool], clip: f64) -> Value {
    let line = calibration::fit(&calibration_cases(p, events, clip), Covariance::ModelBased);
    let of = |part: fn(&calibration::Calibration) -> f64| {
        cell(line.as_ref().map(part).map_err(|reason: &NotEstimable| *reason))
    };
    let (observed, expected) = (count_true(events), p.iter().sum::<f64>());
    let rows: Vec<_> = p.iter().copied().zip(events.iter().copied()).collect();
    json!({
        "intercept": of(|line| line.intercept),
        "slope": of(|line| line.slope),
        "se_intercept": of(|line| line.covariance[0][0].sqrt()),
        "se_slope": of(|line| line.covariance[1][1].sqrt()),
        "cov": of(|line| line.covariance[0][1]),
        "expected": expected,
        "observed": observed,
        "oe": to_number(observed) / expected,
        "brier": cell(calibration::brier_score(&rows)),
    })
}
