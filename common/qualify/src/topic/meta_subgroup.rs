//! Subgroups of sites, and moderators.

use fedval_stats::NotEstimable;
use fedval_stats::synthesis::{
    BetweenGroups, MetaRegression, Moderators, SiteEstimates, Tau2Method, Test, between_groups,
    common_effect, meta_regression, random_effects,
};
use ndarray::Array2;
use serde_json::{Map, Value, json};

use crate::input::{Input, Malformed};
use crate::output::cell;

/// The level of no interval here: nothing that is compared depends on it.
const LEVEL: f64 = 0.95;

const TESTS: [(&str, Test); 2] = [("z", Test::Wald), ("knha", Test::HartungKnapp)];

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let (yi, vi) = (input.at("yi")?.numbers()?, input.at("vi")?.numbers()?);
    let groups = input.at("group")?;
    let groups: Vec<&str> = groups.list()?.iter().map(Input::text).collect::<Result<_, _>>()?;
    let sites = input.at("yi")?.accept(SiteEstimates::new(yi, vi))?;
    let mut levels: Vec<&str> = Vec::new();
    for group in &groups {
        if !levels.contains(group) {
            levels.push(group);
        }
    }
    let numbers: Vec<usize> =
        groups.iter().filter_map(|group| levels.iter().position(|level| level == group)).collect();
    let mut result = Map::new();
    let parts = parts(input, &sites, &numbers, levels.len())?;
    result.insert("separate_tau2".to_owned(), separate(&parts, &levels));
    result.insert("fixed_effect".to_owned(), fixed(&parts));
    let moderators = Moderators::of_groups(&numbers);
    for (name, test) in TESTS {
        let fit = moderators.clone().and_then(|groups| meta_regression(&sites, &groups, test));
        result.insert(format!("common_tau2_{name}"), groups_row(&fit));
    }
    if let Some(x) = input.find("x") {
        let x = x.numbers()?;
        let column = input.accept(Array2::from_shape_vec((x.len(), 1), x))?;
        let moderators = Moderators::new(column);
        for (name, test) in TESTS {
            let fit = moderators.clone().and_then(|x| meta_regression(&sites, &x, test));
            result.insert(format!("metareg_x_{name}"), moderator_row(&fit));
        }
    }
    Ok(Value::Object(result))
}

/// The sites of each subgroup.
fn parts(
    input: &Input<'_>,
    sites: &SiteEstimates,
    numbers: &[usize],
    groups: usize,
) -> Result<Vec<SiteEstimates>, Malformed> {
    let part = |group: usize| {
        let own = numbers.iter().enumerate().filter(|(_, number)| **number == group);
        let (yi, vi) = own.map(|(site, _)| (sites.yi()[site], sites.vi()[site])).unzip();
        input.accept(SiteEstimates::new(yi, vi))
    };
    (0..groups).map(part).collect()
}

/// Estimate, error, τ², Q and I² of one subgroup; the common effect where it is a single site.
fn pooled(part: &SiteEstimates) -> Result<[f64; 5], NotEstimable> {
    match random_effects(part, Tau2Method::Reml, Test::Wald, LEVEL) {
        Ok(fit) => Ok([fit.mu, fit.se_mu, fit.tau2, fit.q, 100.0 * fit.i2_from_tau2]),
        Err(NotEstimable::TooFewSites { .. }) => {
            common_effect(part, LEVEL).map(|common| [common.mu, common.se_mu, 0.0, common.q, 0.0])
        }
        Err(reason) => Err(reason),
    }
}

fn separate(parts: &[SiteEstimates], levels: &[&str]) -> Value {
    let rows: Vec<_> = parts.iter().map(pooled).collect();
    let test = rows.iter().copied().collect::<Result<Vec<_>, _>>().and_then(|rows| {
        let (yi, vi) = rows.iter().map(|row| (row[0], row[1] * row[1])).unzip();
        differ(yi, vi)
    });
    let group = |(row, (part, level)): (&Result<[f64; 5], _>, (&SiteEstimates, &&str))| {
        let at = |place: usize| cell(row.map(|row| row[place]));
        json!({"level": level, "k": part.k(), "estimate": at(0), "se": at(1), "tau2": at(2),
               "Q": at(3), "I2_percent": at(4)})
    };
    let mut answer = json!({
        "groups": rows.iter().zip(parts.iter().zip(levels)).map(group).collect::<Vec<_>>(),
    });
    for (name, value) in test_fields(test) {
        answer[name] = value;
    }
    answer
}

fn fixed(parts: &[SiteEstimates]) -> Value {
    let rows = parts.iter().map(|part| common_effect(part, LEVEL));
    let test = rows.collect::<Result<Vec<_>, _>>().and_then(|rows| {
        let (yi, vi) = rows.iter().map(|row| (row.mu, row.se_mu * row.se_mu)).unzip();
        differ(yi, vi)
    });
    test_fields(test).into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn differ(yi: Vec<f64>, vi: Vec<f64>) -> Result<BetweenGroups, NotEstimable> {
    let pooled = SiteEstimates::new(yi, vi).map_err(|_| NotEstimable::ZeroVariance)?;
    between_groups(&pooled)
}

fn test_fields(test: Result<BetweenGroups, NotEstimable>) -> [(&'static str, Value); 3] {
    [
        ("Q_between", cell(test.map(|test| test.q))),
        ("df", test.map_or(Value::Null, |test| json!(test.df))),
        ("p", cell(test.map(|test| test.p))),
    ]
}

type Fitted = Result<MetaRegression, NotEstimable>;

fn number(fit: &Fitted, part: fn(&MetaRegression) -> f64) -> Value {
    cell(fit.as_ref().map(part).map_err(|reason| *reason))
}

fn list(fit: &Fitted, part: fn(&MetaRegression) -> &Vec<f64>) -> Value {
    fit.as_ref().map_or(Value::Null, |fit| json!(part(fit)))
}

fn groups_row(fit: &Fitted) -> Value {
    let df = fit.as_ref().map_or(Value::Null, |fit| match fit.qm_df {
        (moderators, Some(residual)) => json!([moderators, residual]),
        (moderators, None) => json!([moderators]),
    });
    let r2 = fit.as_ref().map_err(|reason| *reason).and_then(|fit| fit.r2);
    json!({
        "coef": list(fit, |fit| &fit.coefficients),
        "se": list(fit, |fit| &fit.se),
        "tau2": number(fit, |fit| fit.tau2),
        "QM": cell(fit.as_ref().map_err(|reason| *reason).and_then(|fit| fit.qm)),
        "QM_df": df,
        "QM_p": cell(fit.as_ref().map_err(|reason| *reason).and_then(|fit| fit.qm_p)),
        "QE": number(fit, |fit| fit.qe),
        "QE_p": number(fit, |fit| fit.qe_p),
        "R2_percent": cell(r2.map(|share| 100.0 * share)),
    })
}

fn moderator_row(fit: &Fitted) -> Value {
    json!({
        "coef": list(fit, |fit| &fit.coefficients),
        "se": list(fit, |fit| &fit.se),
        "stat": fit.as_ref().map_or(Value::Null, |fit| json!(fit.statistic)),
        "p": fit.as_ref().map_or(Value::Null, |fit| json!(fit.p)),
        "tau2": number(fit, |fit| fit.tau2),
        "QM": cell(fit.as_ref().map_err(|reason| *reason).and_then(|fit| fit.qm)),
        "QM_p": cell(fit.as_ref().map_err(|reason| *reason).and_then(|fit| fit.qm_p)),
        "QE": number(fit, |fit| fit.qe),
        "I2_percent": number(fit, |fit| 100.0 * fit.i2_from_tau2),
    })
}
