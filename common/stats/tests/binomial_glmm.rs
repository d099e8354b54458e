//! The binomial random-intercept model against lme4, and what must hold of it.

use fedval_stats::NotEstimable;
use fedval_stats::binomial_glmm::{BinomialGlmm, fit};

/// One record of `oracles/binomial_glmm.json`, written by `oracles/binomial_glmm.R`.
#[derive(serde::Deserialize)]
struct Case {
    name: String,
    x: Vec<u64>,
    n: Vec<u64>,
    mu: f64,
    se_mu: f64,
    tau2: f64,
}

#[derive(serde::Deserialize)]
struct Oracle {
    cases: Vec<Case>,
}

fn fitted(x: &[u64], n: &[u64]) -> Result<BinomialGlmm, NotEstimable> {
    let sites: Vec<_> = x.iter().copied().zip(n.iter().copied()).collect();
    fit(&sites, 0.95)
}

/// lme4 maximises without derivatives, so its maximum is good to about the square root of its
/// likelihood tolerance, and takes its information from finite differences.
#[test]
fn the_fit_matches_lme4() {
    let oracle: Oracle = serde_json::from_str(include_str!("oracles/binomial_glmm.json")).unwrap();
    for case in oracle.cases {
        let got = fitted(&case.x, &case.n).unwrap();
        let deviations = [
            ("mu", got.mu, case.mu, 1e-5),
            ("se_mu", got.se_mu, case.se_mu, 1e-3),
            ("tau2", got.tau2, case.tau2, 1e-4),
        ];
        for (field, got, want, tolerance) in deviations {
            let off = (got - want).abs() / want.abs().max(0.1);
            assert!(off < tolerance, "{} {field}: {got} v {want}", case.name);
        }
    }
}

#[test]
fn swapping_hits_and_misses_mirrors_the_fit() {
    let (x, n) = ([37, 25, 42, 30], [48, 34, 42, 31]);
    let misses: Vec<_> = x.iter().zip(&n).map(|(x, n)| n - x).collect();
    let (hits, misses) = (fitted(&x, &n).unwrap(), fitted(&misses, &n).unwrap());
    assert!((hits.mu + misses.mu).abs() < 1e-7);
    assert!((hits.tau2 / misses.tau2 - 1.0).abs() < 1e-6);
    assert!((hits.ci_lower + misses.ci_upper).abs() < 1e-6);
}

#[test]
fn prediction_is_wider_than_confidence_and_agrees_with_its_probability() {
    let got = fitted(&[37, 25, 42, 30, 18], &[48, 34, 42, 31, 18]).unwrap();
    let (lower, upper) = got.prediction_interval(0.95).unwrap();
    assert!(lower < got.ci_lower && got.ci_upper < upper);
    assert!((got.probability_new_site_at_least(lower).unwrap() - 0.975).abs() < 1e-10);
}
