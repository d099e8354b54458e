//! From images scored for several classes to patients, each counted once.

use std::collections::{BTreeMap, BTreeSet};

use fedval_stats::grid::GridScore;
use fedval_stats::scale::Probability;
use fedval_study::protocol::{Combine, Task};

/// One image with a usable score for each class.
#[derive(Debug, Clone)]
pub(crate) struct ClassImage {
    pub(crate) patient: u32,
    /// Place in the manifest.
    pub(crate) case: usize,
    /// The reference standard's class.
    pub(crate) class: u8,
    /// A probability for each class.
    pub(crate) scores: Vec<f64>,
}

/// One patient with the class of the reference standard and the one that is called.
#[derive(Debug, Clone)]
pub(crate) struct ClassUnit {
    pub(crate) patient: u32,
    /// The cases that it was made of.
    pub(crate) cases: Vec<usize>,
    pub(crate) class: u8,
    pub(crate) called: u8,
    /// A score for each class, on the grid.
    pub(crate) scores: Vec<GridScore>,
}

/// Patients in order of their first image, and those who cannot be counted: without an order of classes, images of
/// several classes give their patient none.
pub(crate) fn patients(
    images: &[ClassImage],
    task: &Task,
    combine: Combine,
) -> (Vec<ClassUnit>, BTreeSet<u32>) {
    let mut by_patient: BTreeMap<u32, Vec<&ClassImage>> = BTreeMap::new();
    for image in images {
        by_patient.entry(image.patient).or_default().push(image);
    }
    let mut classless = BTreeSet::new();
    let mut units = Vec::new();
    for (patient, images) in by_patient {
        match unit(&images, task, combine) {
            Some(unit) => units.push(unit),
            None => {
                classless.insert(patient);
            }
        }
    }
    (units, classless)
}

fn unit(images: &[&ClassImage], task: &Task, combine: Combine) -> Option<ClassUnit> {
    let first = images.first()?;
    let class = class(images, task)?;
    let scores = match combine {
        Combine::First => on_grid(&first.scores)?,
        Combine::Mean => on_grid(&mean(images))?,
        // The image with the highest grade stands for the patient; of several, the first.
        Combine::Maximum => {
            let grids = images.iter().filter_map(|image| on_grid(&image.scores));
            grids.reduce(
                |highest, next| if called(&next) > called(&highest) { next } else { highest },
            )?
        }
    };
    Some(ClassUnit {
        patient: first.patient,
        cases: images.iter().map(|image| image.case).collect(),
        class,
        called: called(&scores),
        scores,
    })
}

/// A patient has the highest grade of any image; classes without an order must agree.
fn class(images: &[&ClassImage], task: &Task) -> Option<u8> {
    let classes: BTreeSet<u8> = images.iter().map(|image| image.class).collect();
    match task {
        Task::Ordinal(_) => classes.last().copied(),
        _ => classes.first().copied().filter(|_| classes.len() == 1),
    }
}

fn mean(images: &[&ClassImage]) -> Vec<f64> {
    let classes = images.first().map_or(0, |image| image.scores.len());
    let sum = |class: usize| images.iter().filter_map(|image| image.scores.get(class)).sum::<f64>();
    (0..classes).map(|class| sum(class) / count(images.len())).collect()
}

fn on_grid(scores: &[f64]) -> Option<Vec<GridScore>> {
    let grid = |score: &f64| Probability::new(*score).ok().map(GridScore::from_probability);
    scores.iter().map(grid).collect()
}

/// The class with the highest score on the grid; of equals the lower.
fn called(scores: &[GridScore]) -> u8 {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    u8::try_from(best).unwrap_or(u8::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "images of one patient")]
fn count(images: usize) -> f64 {
    images as f64
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::Class;

    use super::*;

    fn image(patient: u32, class: u8, scores: [f64; 3]) -> ClassImage {
        ClassImage { patient, case: 0, class, scores: scores.to_vec() }
    }

    fn classes() -> Vec<Class> {
        let class = |name: &str| Class { name: name.parse().unwrap(), values: Vec::new() };
        ["none", "some", "much"].map(class).into()
    }

    #[test]
    fn a_patient_has_the_highest_grade_of_any_image_and_one_call_by_the_rule() {
        let images = [
            image(7, 0, [0.5, 0.3, 0.2]),
            image(7, 2, [0.1, 0.2, 0.7]),
            image(7, 1, [0.8, 0.1, 0.1]),
            image(8, 1, [0.4, 0.4, 0.2]),
        ];
        for (combine, call) in [(Combine::First, 0), (Combine::Maximum, 2), (Combine::Mean, 0)] {
            let (units, classless) = patients(&images, &Task::Ordinal(classes()), combine);
            assert!(classless.is_empty());
            assert_eq!((units[0].class, units[0].called), (2, call), "{combine:?}");
            // Of equal scores the lower class is called.
            assert_eq!((units[1].class, units[1].called), (1, 0));
        }
    }

    #[test]
    fn without_an_order_images_of_two_classes_give_their_patient_none() {
        let images = [image(7, 0, [0.5, 0.3, 0.2]), image(7, 2, [0.1, 0.2, 0.7])];
        let (units, classless) = patients(&images, &Task::MultiClass(classes()), Combine::Mean);
        assert!(units.is_empty());
        assert_eq!(classless, BTreeSet::from([7]));
    }
}
