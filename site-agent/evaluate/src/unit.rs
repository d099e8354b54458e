//! From scored images to units of analysis.

use std::collections::{BTreeMap, BTreeSet};

use fedval_stats::grid::GridScore;
use fedval_stats::pooled_roc::cell_centre;
use fedval_stats::scale::{Logit, Probability, expit};
use fedval_study::Name;
use fedval_study::protocol::{Analysis, Combine, ScoreScale, Unit};

/// One image with a usable score.
#[derive(Debug, Clone)]
pub(crate) struct ScoredImage {
    pub(crate) patient: u32,
    /// Place in the manifest.
    pub(crate) case: usize,
    pub(crate) positive: bool,
    /// On the model's scale.
    pub(crate) score: f64,
    /// Category in each dimension of the dictionary.
    pub(crate) categories: Vec<Option<Name>>,
}

/// One unit of analysis: an image, or a patient.
#[derive(Debug, Clone)]
pub(crate) struct AnalysedUnit {
    pub(crate) patient: u32,
    /// The cases that it was made of.
    pub(crate) cases: Vec<usize>,
    /// Whether it is the patient's first.
    pub(crate) is_first: bool,
    pub(crate) positive: bool,
    pub(crate) score: GridScore,
    pub(crate) categories: Vec<Option<Name>>,
}

/// How finely scores are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreGrid {
    /// 10⁻⁵ in log-odds.
    Fine,
    /// The 1,024 cells that pooled curves are made of.
    Coarse,
}

/// Units of analysis in the manifest's order.
pub(crate) fn units(
    images: &[ScoredImage],
    analysis: &Analysis,
    scale: ScoreScale,
    grid: ScoreGrid,
) -> Vec<AnalysedUnit> {
    let mut units: Vec<AnalysedUnit> = match (analysis.unit, analysis.combine) {
        (Unit::Patient, Some(combine)) => patients(images, combine, scale),
        _ => images.iter().filter_map(|image| image_unit(image, scale)).collect(),
    };
    let mut seen = BTreeSet::new();
    for unit in &mut units {
        unit.is_first = seen.insert(unit.patient);
        if grid == ScoreGrid::Coarse {
            unit.score = cell_centre(unit.score);
        }
    }
    units
}

fn image_unit(image: &ScoredImage, scale: ScoreScale) -> Option<AnalysedUnit> {
    let score = match scale {
        ScoreScale::Probability => GridScore::from_probability(Probability::new(image.score).ok()?),
        ScoreScale::Logit => GridScore::from_logit(Logit::new(image.score).ok()?),
        // A quantity is no score of a condition.
        ScoreScale::Value => return None,
    };
    Some(AnalysedUnit {
        patient: image.patient,
        cases: vec![image.case],
        is_first: false,
        positive: image.positive,
        score,
        categories: image.categories.clone(),
    })
}

fn patients(images: &[ScoredImage], combine: Combine, scale: ScoreScale) -> Vec<AnalysedUnit> {
    let mut by_patient: BTreeMap<u32, Vec<&ScoredImage>> = BTreeMap::new();
    for image in images {
        by_patient.entry(image.patient).or_default().push(image);
    }
    by_patient.values().filter_map(|images| patient_unit(images, combine, scale)).collect()
}

fn patient_unit(
    images: &[&ScoredImage],
    combine: Combine,
    scale: ScoreScale,
) -> Option<AnalysedUnit> {
    let first = images.first()?;
    let probability = |image: &&ScoredImage| match scale {
        ScoreScale::Probability | ScoreScale::Value => image.score,
        ScoreScale::Logit => expit(image.score),
    };
    let combined = match combine {
        Combine::First => return image_unit(first, scale).map(|unit| with_any(unit, images)),
        Combine::Maximum => images.iter().map(probability).fold(0.0, f64::max),
        Combine::Mean => images.iter().map(probability).sum::<f64>() / count(images.len()),
    };
    let score = GridScore::from_probability(Probability::new(combined).ok()?);
    let unit = AnalysedUnit {
        patient: first.patient,
        cases: Vec::new(),
        is_first: false,
        positive: first.positive,
        score,
        categories: first.categories.clone(),
    };
    Some(with_any(unit, images))
}

/// A patient has the target condition where any image has; a category is the first one known.
fn with_any(mut unit: AnalysedUnit, images: &[&ScoredImage]) -> AnalysedUnit {
    unit.positive = images.iter().any(|image| image.positive);
    unit.cases = images.iter().map(|image| image.case).collect();
    for (dimension, category) in unit.categories.iter_mut().enumerate() {
        let known = images.iter().find_map(|image| image.categories.get(dimension)?.clone());
        *category = known;
    }
    unit
}

#[expect(clippy::cast_precision_loss, reason = "images of one patient")]
fn count(images: usize) -> f64 {
    images as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(patient: u32, positive: bool, score: f64) -> ScoredImage {
        ScoredImage { patient, case: 0, positive, score, categories: Vec::new() }
    }

    fn analysis(combine: Option<Combine>) -> Analysis {
        let unit = if combine.is_some() { Unit::Patient } else { Unit::Image };
        Analysis {
            unit,
            combine,
            failure_limit: 0.05,
            ece_bins: 10,
            level: 0.95,
            prevalences: Vec::new(),
        }
    }

    #[test]
    fn a_patient_has_one_score_by_the_rule_and_is_positive_if_any_image_is() {
        let images = [image(7, false, 0.2), image(7, true, 0.6), image(8, false, 0.1)];
        let score = |combine| {
            let analysis = analysis(Some(combine));
            let units = units(&images, &analysis, ScoreScale::Probability, ScoreGrid::Fine);
            assert_eq!(units.len(), 2);
            assert!(units[0].positive && !units[1].positive);
            units[0].score
        };
        let on_the_grid = |p| GridScore::from_probability(Probability::new(p).unwrap());
        for (combine, p) in [(Combine::First, 0.2), (Combine::Maximum, 0.6), (Combine::Mean, 0.4)] {
            assert_eq!(score(combine), on_the_grid(p));
        }
    }

    #[test]
    fn every_image_is_a_unit_where_the_protocol_says_so() {
        let images = [image(7, false, 0.2), image(7, true, 0.6)];
        let units = units(&images, &analysis(None), ScoreScale::Probability, ScoreGrid::Fine);
        assert_eq!(units.iter().map(|unit| unit.is_first).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn on_the_coarse_grid_scores_nearby_are_one() {
        let images = [image(7, false, 0.2), image(8, true, 0.200_1)];
        let units = units(&images, &analysis(None), ScoreScale::Probability, ScoreGrid::Coarse);
        assert_eq!(units[0].score, units[1].score);
    }
}
