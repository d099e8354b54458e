//! From scored images to units of analysis.

use fedval_stats::grid::GridScore;
use fedval_stats::pooled_roc::cell_centre;
use fedval_stats::scale::{Logit, Probability, expit};
use fedval_study::protocol::{Analysis, Combine, ScoreScale, Unit};

use crate::case_lists::CaseLists;
use crate::category_sets::CategorySets;

/// One image with a usable score: 24 bytes, as there may be a million.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScoredImage {
    /// On the model's scale.
    pub(crate) score: f64,
    pub(crate) patient: u32,
    /// Place in the manifest.
    pub(crate) case: u32,
    /// Number of its categories in the [`CategorySets`] that belong to it.
    pub(crate) categories: u32,
    pub(crate) positive: bool,
}

/// One unit of analysis: an image, or a patient. 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnalysedUnit {
    pub(crate) patient: u32,
    pub(crate) score: GridScore,
    /// Number of its categories in the [`CategorySets`] that belong to it.
    pub(crate) categories: u32,
    /// Whether it is the patient's first.
    pub(crate) is_first: bool,
    pub(crate) positive: bool,
}

/// Units of analysis in the manifest's order, or of patients in theirs.
#[derive(Debug, Default)]
pub(crate) struct Units {
    pub(crate) analysed: Vec<AnalysedUnit>,
    /// The cases that each was made of.
    pub(crate) cases: CaseLists,
}

/// How finely scores are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreGrid {
    /// 10⁻⁵ in log-odds.
    Fine,
    /// The 1,024 cells that pooled curves are made of.
    Coarse,
}

/// Units of analysis. Of patients, combinations of categories are added to `sets` that no image has.
pub(crate) fn units(
    images: &[ScoredImage],
    analysis: &Analysis,
    scale: ScoreScale,
    grid: ScoreGrid,
    sets: &mut CategorySets,
) -> Units {
    let mut units = Units::default();
    if let (Unit::Patient, Some(combine)) = (analysis.unit, analysis.combine) {
        each_patient(
            images,
            |image| image.patient,
            |images| {
                let unit = patient_unit(images, combine, scale, sets);
                units.add(unit, images.iter().map(|image| image.case));
            },
        );
    } else {
        units.analysed.reserve_exact(images.len());
        units.cases = CaseLists::of_single_cases(images.len());
        for image in images {
            units.add(image_unit(image, scale), std::iter::once(image.case));
        }
    }
    let patients = units.analysed.iter().map(|unit| unit.patient as usize + 1).max();
    let mut seen = vec![false; patients.unwrap_or(0)];
    for unit in &mut units.analysed {
        unit.is_first = !std::mem::replace(&mut seen[unit.patient as usize], true);
        if grid == ScoreGrid::Coarse {
            unit.score = cell_centre(unit.score);
        }
    }
    units
}

impl Units {
    fn add(&mut self, unit: Option<AnalysedUnit>, cases: impl Iterator<Item = u32>) {
        if let Some(unit) = unit {
            self.analysed.push(unit);
            self.cases.push(cases);
        }
    }
}

/// Calls `with` for the images of each patient: patients in the order of their numbers, the images of one in that of
/// `images`.
pub(crate) fn each_patient<T>(
    images: &[T],
    patient_of: impl Fn(&T) -> u32,
    mut with: impl FnMut(&[&T]),
) {
    let patient = |place: u32| patient_of(&images[place as usize]);
    let mut order: Vec<u32> = (0..u32::try_from(images.len()).unwrap_or(u32::MAX)).collect();
    order.sort_unstable_by_key(|place| (patient(*place), *place));
    let mut own = Vec::new();
    for places in order.chunk_by(|one, other| patient(*one) == patient(*other)) {
        own.clear();
        own.extend(places.iter().map(|place| &images[*place as usize]));
        with(&own);
    }
}

fn image_unit(image: &ScoredImage, scale: ScoreScale) -> Option<AnalysedUnit> {
    let score = match scale {
        ScoreScale::Probability => GridScore::from_probability(Probability::new(image.score).ok()?),
        ScoreScale::Logit => GridScore::from_logit(Logit::new(image.score).ok()?),
        // A quantity is no score of a condition.
        ScoreScale::Value => return None,
    };
    let ScoredImage { patient, categories, positive, .. } = *image;
    Some(AnalysedUnit { patient, score, categories, is_first: false, positive })
}

fn patient_unit(
    images: &[&ScoredImage],
    combine: Combine,
    scale: ScoreScale,
    sets: &mut CategorySets,
) -> Option<AnalysedUnit> {
    let first = images.first()?;
    let probability = |image: &&ScoredImage| match scale {
        ScoreScale::Probability | ScoreScale::Value => image.score,
        ScoreScale::Logit => expit(image.score),
    };
    let combined = match combine {
        Combine::First => {
            return image_unit(first, scale).map(|unit| with_any(unit, images, sets));
        }
        Combine::Maximum => images.iter().map(probability).fold(0.0, f64::max),
        Combine::Mean => images.iter().map(probability).sum::<f64>() / count(images.len()),
    };
    let score = GridScore::from_probability(Probability::new(combined).ok()?);
    let ScoredImage { patient, categories, positive, .. } = **first;
    let unit = AnalysedUnit { patient, score, categories, is_first: false, positive };
    Some(with_any(unit, images, sets))
}

/// A patient has the target condition where any image has; a category is the first one known.
fn with_any(
    mut unit: AnalysedUnit,
    images: &[&ScoredImage],
    sets: &mut CategorySets,
) -> AnalysedUnit {
    unit.positive = images.iter().any(|image| image.positive);
    if images.iter().any(|image| image.categories != unit.categories) {
        let dimensions = 0..sets.get(unit.categories).len();
        let known = |dimension: usize| {
            images.iter().find_map(|image| *sets.get(image.categories).get(dimension)?)
        };
        let categories: Vec<Option<u16>> = dimensions.map(known).collect();
        unit.categories = sets.number(&categories);
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
        ScoredImage { patient, case: 0, positive, score, categories: 0 }
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

    fn probabilities(
        images: &[ScoredImage],
        analysis: &Analysis,
        grid: ScoreGrid,
    ) -> Vec<AnalysedUnit> {
        let mut sets = CategorySets::default();
        units(images, analysis, ScoreScale::Probability, grid, &mut sets).analysed
    }

    #[test]
    fn a_patient_has_one_score_by_the_rule_and_is_positive_if_any_image_is() {
        let images = [image(7, false, 0.2), image(7, true, 0.6), image(8, false, 0.1)];
        let score = |combine| {
            let analysis = analysis(Some(combine));
            let units = probabilities(&images, &analysis, ScoreGrid::Fine);
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
        let units = probabilities(&images, &analysis(None), ScoreGrid::Fine);
        assert_eq!(units.iter().map(|unit| unit.is_first).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn on_the_coarse_grid_scores_nearby_are_one() {
        let images = [image(7, false, 0.2), image(8, true, 0.200_1)];
        let units = probabilities(&images, &analysis(None), ScoreGrid::Coarse);
        assert_eq!(units[0].score, units[1].score);
    }

    #[test]
    fn a_patient_s_category_is_the_first_one_known_and_cases_are_all_of_the_patients() {
        let mut sets = CategorySets::default();
        let mut image = |patient, case, categories: [Option<u16>; 2]| {
            let categories = sets.number(&categories);
            ScoredImage { patient, case, positive: false, score: 0.5, categories }
        };
        let images = [
            image(8, 0, [None, Some(2)]),
            image(7, 1, [Some(1), None]),
            image(8, 2, [Some(3), Some(4)]),
            image(8, 3, [Some(5), None]),
        ];
        let (analysis, scale) = (analysis(Some(Combine::First)), ScoreScale::Probability);
        let units = units(&images, &analysis, scale, ScoreGrid::Fine, &mut sets);
        let found: Vec<_> = units.analysed.iter().map(|unit| sets.get(unit.categories)).collect();
        assert_eq!(found, [[Some(1), None], [Some(3), Some(2)]]);
        assert_eq!(units.cases.units().collect::<Vec<_>>(), [&[1][..], &[0, 2, 3]]);
    }

    #[test]
    fn an_image_and_a_unit_take_as_many_bytes_as_is_said() {
        assert_eq!((size_of::<ScoredImage>(), size_of::<AnalysedUnit>()), (24, 16));
    }
}
