//! Sensitivity and specificity together.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::TwoByTwo;
use fedval_stats::bivariate::{Bivariate, BivariateBinomial, Hsroc, binomial, reitsma};
use fedval_stats::scale::expit;
use serde_json::{Value, json};

use crate::input::{Input, Malformed};
use crate::output::{cell, ends};

const LEVEL: f64 = 0.95;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let column = |key: &str| input.at(key).and_then(|column| column.counts());
    let (tp, fn_, fp, tn) = (column("TP")?, column("FN")?, column("FP")?, column("TN")?);
    let errors = tp.iter().zip(fn_).zip(fp.iter().zip(tn));
    let sites: Vec<TwoByTwo> =
        errors.map(|((&tp, fn_), (&fp, tn))| TwoByTwo { tp, fn_, fp, tn }).collect();
    Ok(json!({"reitsma_reml": normal(&reitsma(&sites)), "glmm_ml": exact(&binomial(&sites))}))
}

fn normal(fit: &Result<Bivariate, NotEstimable>) -> Value {
    let of = |part: &dyn Fn(&Bivariate) -> f64| cell(fit.as_ref().map(part).map_err(|e| *e));
    let hsroc = fit.as_ref().map_err(|reason| *reason).and_then(Bivariate::hsroc);
    let curve = |part: fn(&Hsroc) -> f64| cell(hsroc.as_ref().map(part).map_err(|e| *e));
    let sens = fit.as_ref().map_err(|e| *e).and_then(|fit| fit.sensitivity(LEVEL));
    let spec = fit.as_ref().map_err(|e| *e).and_then(|fit| fit.specificity(LEVEL));
    json!({
        "logit_sens": of(&|fit| fit.mean[0]),
        "logit_fpr": of(&|fit| fit.mean[1]),
        "se_logit_sens": of(&|fit| fit.covariance[0][0].sqrt()),
        "se_logit_fpr": of(&|fit| fit.covariance[1][1].sqrt()),
        "cov": of(&|fit| fit.covariance[0][1]),
        "sens": cell(sens.map(|sens| sens.estimate)),
        "fpr": of(&|fit| expit(fit.mean[1])),
        "spec": cell(spec.map(|spec| spec.estimate)),
        "ci_sens": ends(sens),
        "ci_spec": ends(spec),
        "tau2_sens": of(&|fit| fit.between[0][0]),
        "tau2_fpr": of(&|fit| fit.between[1][1]),
        "tau_cov": of(&|fit| fit.between[0][1]),
        "rho": cell(fit.as_ref().map_err(|e| *e).and_then(Bivariate::correlation)),
        "hsroc": {
            "Theta": curve(|hsroc| hsroc.threshold),
            "Lambda": curve(|hsroc| hsroc.accuracy),
            "beta": curve(|hsroc| hsroc.shape),
            "sigma2theta": curve(|hsroc| hsroc.threshold_variance),
            "sigma2alpha": curve(|hsroc| hsroc.accuracy_variance),
        },
        "sroc_auc": curve(Hsroc::area_by_percent),
        "logLik_reml": of(&|fit| fit.log_likelihood),
    })
}

fn exact(fit: &Result<BivariateBinomial, NotEstimable>) -> Value {
    let of = |part: fn(&BivariateBinomial) -> f64| cell(fit.as_ref().map(part).map_err(|e| *e));
    json!({
        "logit_sens": of(|fit| fit.mean[0]),
        "logit_spec": of(|fit| fit.mean[1]),
        "se_logit_sens": of(|fit| fit.se[0]),
        "se_logit_spec": of(|fit| fit.se[1]),
        "sens": of(|fit| expit(fit.mean[0])),
        "spec": of(|fit| expit(fit.mean[1])),
        "tau2_sens": of(|fit| fit.between[0][0]),
        "tau2_spec": of(|fit| fit.between[1][1]),
        "tau_cov": of(|fit| fit.between[0][1]),
    })
}
