//! Synthesis over sites: every estimator of τ² with every test.

use fedval_stats::NotEstimable;
use fedval_stats::synthesis::{
    CommonEffect, PredictionReference, RandomEffects, SiteEstimates, Tau2Method, Test,
    common_effect, q_profile, random_effects,
};
use serde_json::{Map, Value, json};

use super::columns::back_transformation;
use crate::input::{Input, Malformed};
use crate::output::{NOT_ESTIMABLE, cell, limits};

const METHODS: [(&str, Tau2Method); 3] = [
    ("DL", Tau2Method::DerSimonianLaird),
    ("REML", Tau2Method::Reml),
    ("PM", Tau2Method::PauleMandel),
];

const TESTS: [(&str, Test); 3] =
    [("z", Test::Wald), ("knha", Test::HartungKnapp), ("adhoc", Test::ModifiedHartungKnapp)];

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let level = input.at("level")?.number()?;
    let (yi, vi) = (input.at("yi")?, input.at("vi")?.numbers()?);
    let sites = yi.accept(SiteEstimates::new(yi.numbers()?, vi))?;
    let common = input.at("level")?.accept(common_effect(&sites, level))?;
    let mut result = Map::new();
    result.insert(
        "common_effect".to_owned(),
        json!({"estimate": common.mu, "se": common.se_mu, "ci": [common.ci_lower, common.ci_upper],
               "Q": common.q, "Q_p": common.q_p}),
    );
    for (method_name, method) in METHODS {
        for (test_name, test) in TESTS {
            let row = match random_effects(&sites, method, test, level) {
                Ok(fit) => row(&fit, test, level),
                Err(_) => single_site(&common),
            };
            result.insert(format!("{method_name}_{test_name}"), row);
        }
    }
    let profile = q_profile(&sites, level);
    let tau2 = profile.map(|limits| (limits.tau2_lower, limits.tau2_upper));
    let i2 = profile.map(|limits| (100.0 * limits.i2_lower, 100.0 * limits.i2_upper));
    result.insert("tau2_ci_qprofile".to_owned(), limits(tau2));
    result.insert("I2_ci_qprofile_percent".to_owned(), limits(i2));
    result.insert("leave_one_out_REML_knha".to_owned(), left_out(&sites, input, level));
    let back = back_transformation(input.at("scale")?.text()?);
    result.insert("back_transformed_REML_knha".to_owned(), back_row(&result, back));
    Ok(Value::Object(result))
}

/// One row METHOD_TEST.
fn row(fit: &RandomEffects, test: Test, level: f64) -> Value {
    let reference = match test {
        Test::Wald => PredictionReference::Normal,
        Test::HartungKnapp | Test::ModifiedHartungKnapp => PredictionReference::TKMinus1,
    };
    let interval = |reference| limits(fit.prediction_interval_by(reference, level));
    // An error of 0 makes the statistic infinite, which this engine has no number for; of 0 by 0 there is none.
    let (infinite, p) = match fit.mu {
        mu if mu > 0.0 => (json!("Infinity"), json!(0)),
        mu if mu < 0.0 => (json!("-Infinity"), json!(0)),
        _ => (json!(NOT_ESTIMABLE), json!(NOT_ESTIMABLE)),
    };
    json!({
        "tau2": fit.tau2,
        "tau": fit.tau2.sqrt(),
        "se_tau2": fit.se_tau2,
        "I2_percent": 100.0 * fit.i2_from_tau2,
        "H2": fit.h2,
        "Q": fit.q,
        "Q_df": fit.q_df,
        "Q_p": fit.q_p,
        "estimate": fit.mu,
        "se": fit.se_mu,
        "stat": fit.statistic.map_or(infinite, Value::from),
        "p": fit.p.map_or(p, Value::from),
        "ci": [fit.ci_lower, fit.ci_upper],
        "pi_metafor": interval(reference),
        "pi_hts_df_kminus2": interval(PredictionReference::TKMinus2),
        "pi_hts_df_kminus1": interval(PredictionReference::TKMinus1),
        "weights_percent": fit.weights.iter().map(|weight| 100.0 * weight).collect::<Vec<_>>(),
        "se_wald": fit.se_wald,
    })
}

/// With one site metafor falls back to the common effect in every row; this engine refuses.
fn single_site(common: &CommonEffect) -> Value {
    let none = [NOT_ESTIMABLE, NOT_ESTIMABLE];
    json!({
        "tau2": 0.0,
        "tau": 0.0,
        "se_tau2": null,
        "I2_percent": 0.0,
        "H2": 1.0,
        "Q": common.q,
        "Q_df": common.q_df,
        "Q_p": common.q_p,
        "estimate": common.mu,
        "se": common.se_mu,
        "stat": common.statistic,
        "p": common.p,
        "ci": [common.ci_lower, common.ci_upper],
        "pi_metafor": [common.ci_lower, common.ci_upper],
        "pi_hts_df_kminus2": none,
        "pi_hts_df_kminus1": none,
        "weights_percent": [100.0],
        "se_wald": common.se_mu,
    })
}

fn left_out(sites: &SiteEstimates, input: &Input<'_>, level: f64) -> Value {
    let labels = input.find("labels").and_then(|labels| labels.list().ok()).unwrap_or_default();
    let refits = (0..sites.k()).map(|index| {
        let fit = sites
            .without(index)
            .ok_or(NotEstimable::EmptyInput)
            .and_then(|rest| random_effects(&rest, Tau2Method::Reml, Test::HartungKnapp, level));
        let get =
            |f: fn(&RandomEffects) -> f64| cell(fit.as_ref().map(f).map_err(|reason| *reason));
        json!({
            "left_out": labels.get(index).map_or_else(|| json!(index + 1), name),
            "estimate": get(|fit| fit.mu),
            "se": get(|fit| fit.se_mu),
            "ci": [get(|fit| fit.ci_lower), get(|fit| fit.ci_upper)],
            "tau2": get(|fit| fit.tau2),
            "I2_percent": get(|fit| 100.0 * fit.i2_from_tau2),
            "Q": get(|fit| fit.q),
            "Q_p": get(|fit| fit.q_p),
        })
    });
    refits.collect()
}

/// The site's label; the oracles print a label that is a number as a number.
fn name(label: &Input<'_>) -> Value {
    let number = label.text().ok().and_then(|text| text.parse::<u64>().ok());
    number.map_or_else(|| label.raw(), Value::from)
}

fn back_row(result: &Map<String, Value>, back: fn(f64) -> f64) -> Value {
    let row = &result["REML_knha"];
    let transformed =
        |value: &Value| value.as_f64().map_or_else(|| value.clone(), |x| back(x).into());
    let both = |key: &str| json!([transformed(&row[key][0]), transformed(&row[key][1])]);
    json!({
        "estimate": transformed(&row["estimate"]),
        "ci": both("ci"),
        "pi_hts_df_kminus2": both("pi_hts_df_kminus2"),
        "pi_metafor": both("pi_metafor"),
    })
}
