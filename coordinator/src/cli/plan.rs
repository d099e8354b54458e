//! `fedval study plan FILE.toml`: how many cases and sites give the precision that is asked for.

use std::path::Path;

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Exit, Failure};
use fedval_stats::NotEstimable;
use fedval_stats::sample_size::{
    LinearPredictor, PredictionPlan, auroc_cases, calibration_slope_cases, releasable_site_cases,
    sensitivity_positives, sites_for_prediction,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::draft::unreadable;

/// How surely a site that is planned with the smallest size may release its results.
const ASSURANCE: f64 = 0.9;
/// Sizes of a site that are shown where the file names none.
const SITE_CASES: [u64; 4] = [100, 300, 1_000, 3_000];

/// What is expected, and how wide an interval may be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    /// Share of cases with the condition.
    prevalence: f64,
    #[serde(default = "usual_level")]
    level: f64,
    /// Fewest positives and negatives with which a site's policy lets results leave.
    #[serde(default = "usual_k")]
    k: u64,
    auroc: Option<Expected>,
    sensitivity: Option<Expected>,
    specificity: Option<Expected>,
    calibration_slope: Option<Slope>,
    prediction_interval: Option<Prediction>,
}

const fn usual_level() -> f64 {
    0.95
}

const fn usual_k() -> u64 {
    11
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    expected: f64,
    width: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Slope {
    width: f64,
    /// Without one it follows from the AUROC and the prevalence.
    linear_predictor: Option<Normal>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Normal {
    mean: f64,
    standard_deviation: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prediction {
    /// The mean site's AUROC.
    expected: f64,
    /// Standard deviation between sites, of the AUROC's logit.
    between_site_sd: f64,
    width: f64,
    #[serde(default)]
    cases_per_site: Vec<u64>,
}

pub(super) fn run(file: &Path, output: Output) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let plan: Plan = toml::from_str(&text).map_err(|error| invalid(&error.to_string()))?;
    let quantities = plan.quantities()?;
    let sites = plan.sites()?;
    let smallest_site = releasable_site_cases(plan.prevalence, plan.k, ASSURANCE)
        .map_err(|reason| refused("prevalence", reason))?;
    if quantities.is_empty() && sites.is_empty() {
        return Err(invalid("it asks for no precision"));
    }
    let value = json!({
        "prevalence": plan.prevalence, "level": plan.level, "k": plan.k,
        "quantities": quantities.iter().map(Size::to_json).collect::<Vec<_>>(),
        "cases": quantities.iter().map(|size| size.cases).max(),
        "prediction_interval": sites.iter().map(Sites::to_json).collect::<Vec<_>>(),
        "smallest_site": smallest_site,
    });
    output.say(&value, &plan.text(&quantities, &sites, smallest_site));
    Ok(())
}

/// The cases that one quantity needs.
struct Size {
    quantity: &'static str,
    expected: f64,
    width: f64,
    cases: u64,
    positives: u64,
}

impl Size {
    fn to_json(&self) -> Value {
        json!({
            "quantity": self.quantity, "expected": self.expected, "width": self.width,
            "cases": self.cases, "positives": self.positives,
            "negatives": self.cases - self.positives,
        })
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.quantity.to_owned(),
            self.expected.to_string(),
            self.width.to_string(),
            self.cases.to_string(),
            self.positives.to_string(),
            (self.cases - self.positives).to_string(),
        ]
    }
}

/// The sites that the prediction interval needs; `None` where no number of them suffices.
struct Sites {
    cases: u64,
    needed: Option<u64>,
    /// The width that no number of sites goes below.
    least_width: f64,
}

impl Sites {
    fn to_json(&self) -> Value {
        let needed =
            self.needed.map_or_else(|| json!({"not_estimable": "out_of_reach"}), |k| json!(k));
        json!({"cases_per_site": self.cases, "sites": needed, "least_width": self.least_width})
    }

    fn row(&self) -> Vec<String> {
        let needed = self.needed.map_or_else(
            || format!("none suffices: sites differ by {:.3}", self.least_width),
            |needed| needed.to_string(),
        );
        let cases = self.needed.map_or_else(|| "–".to_owned(), |k| (k * self.cases).to_string());
        vec![self.cases.to_string(), needed, cases]
    }
}

impl Plan {
    fn quantities(&self) -> Result<Vec<Size>, Failure> {
        let mut quantities = Vec::new();
        if let Some(Expected { expected, width }) = self.auroc {
            let cases = auroc_cases(expected, self.prevalence, width, self.level);
            quantities.push(self.size("auroc", expected, width, cases)?);
        }
        for (quantity, wish, share) in [
            ("sensitivity", self.sensitivity, self.prevalence),
            ("specificity", self.specificity, 1.0 - self.prevalence),
        ] {
            if let Some(Expected { expected, width }) = wish {
                let of_class = sensitivity_positives(expected, width, self.level);
                let cases = of_class.map(|of_class| scaled(of_class, |n| (n / share).ceil()));
                quantities.push(self.size(quantity, expected, width, cases)?);
            }
        }
        if let Some(slope) = &self.calibration_slope {
            let predictor = self.linear_predictor(slope)?;
            let cases = calibration_slope_cases(predictor, slope.width, self.level);
            quantities.push(self.size("calibration_slope", 1.0, slope.width, cases)?);
        }
        Ok(quantities)
    }

    fn size(
        &self,
        quantity: &'static str,
        expected: f64,
        width: f64,
        cases: Result<u64, NotEstimable>,
    ) -> Result<Size, Failure> {
        let cases = cases.map_err(|reason| refused(quantity, reason))?;
        let positives = scaled(cases, |n| (n * self.prevalence).round());
        Ok(Size { quantity, expected, width, cases, positives })
    }

    fn linear_predictor(&self, slope: &Slope) -> Result<LinearPredictor, Failure> {
        match (slope.linear_predictor, self.auroc) {
            (Some(Normal { mean, standard_deviation }), _) => {
                Ok(LinearPredictor::Normal { mean, standard_deviation })
            }
            (None, Some(auroc)) => {
                Ok(LinearPredictor::Binormal { auc: auroc.expected, prevalence: self.prevalence })
            }
            (None, None) => Err(invalid(
                "[calibration_slope] needs a linear_predictor, or an [auroc] that it follows from",
            )),
        }
    }

    fn sites(&self) -> Result<Vec<Sites>, Failure> {
        let Some(wish) = &self.prediction_interval else { return Ok(Vec::new()) };
        let cases: &[u64] =
            if wish.cases_per_site.is_empty() { &SITE_CASES } else { &wish.cases_per_site };
        cases.iter().map(|cases| self.sites_of(wish, *cases)).collect()
    }

    fn sites_of(&self, wish: &Prediction, cases: u64) -> Result<Sites, Failure> {
        let plan = PredictionPlan {
            auc: wish.expected,
            prevalence: self.prevalence,
            tau: wish.between_site_sd,
            cases,
        };
        let refused = |reason| refused("prediction_interval", reason);
        let least_width = plan.least_width(self.level).map_err(refused)?;
        let needed = match sites_for_prediction(&plan, wish.width, self.level) {
            Ok(needed) => Some(needed),
            Err(NotEstimable::OutOfReach) => None,
            Err(reason) => return Err(refused(reason)),
        };
        Ok(Sites { cases, needed, least_width })
    }

    fn text(&self, quantities: &[Size], sites: &[Sites], smallest_site: u64) -> String {
        let mut parts = Vec::new();
        if let Some(cases) = quantities.iter().map(|size| size.cases).max() {
            let header = ["quantity", "expected", "width", "cases", "positive", "negative"];
            let rows = table(&header, quantities.iter().map(Size::row));
            parts.push(format!(
                "Cases over all sites, each of a patient of its own, so that {} % intervals are no \
                 wider:\n{rows}\nAll of these: {cases} cases.",
                100.0 * self.level
            ));
        }
        if let Some(wish) = &self.prediction_interval {
            let rows = table(&["cases a site", "sites", "cases"], sites.iter().map(Sites::row));
            parts.push(format!(
                "Sites, so that the AUROC's prediction interval is no wider than {}:\n{rows}",
                wish.width
            ));
        }
        parts.push(format!(
            "A site should have {smallest_site} cases: with {:.0} % probability at least {} of them \
             are positive and {} negative, without which nothing leaves it.",
            100.0 * ASSURANCE,
            self.k,
            self.k
        ));
        parts.join("\n\n")
    }
}

/// A number of cases made of another.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a study has far fewer than 2^53 cases, and a float beyond u64 saturates"
)]
fn scaled(cases: u64, by: impl Fn(f64) -> f64) -> u64 {
    by(cases as f64) as u64
}

fn refused(table: &str, reason: NotEstimable) -> Failure {
    invalid(&format!("{table}: {reason}"))
}

fn invalid(message: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        "PLAN_INVALID",
        format!("the plan cannot be worked out: {message}"),
        "correct the file; deploy/docs/statistician.md shows one",
    )
}
