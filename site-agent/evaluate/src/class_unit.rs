//! From images scored for several classes to patients, each counted once.

use std::collections::{BTreeMap, BTreeSet};

use fedval_ingest::Case;
use fedval_stats::grid::GridScore;
use fedval_stats::scale::Probability;
use fedval_study::protocol::{Combine, Reference, Task};

use crate::unit::each_patient;

/// One image with a usable score for each class.
#[derive(Debug, Clone)]
pub(crate) struct ClassImage {
    pub(crate) patient: u32,
    /// Place in the manifest.
    pub(crate) case: u32,
    /// A probability for each class.
    pub(crate) scores: Box<[f64]>,
}

/// One patient with the class of the reference standard and the one that is called.
#[derive(Debug, Clone)]
pub(crate) struct ClassUnit {
    pub(crate) patient: u32,
    /// The cases that it was made of.
    pub(crate) cases: Vec<u32>,
    pub(crate) class: u8,
    pub(crate) called: u8,
    /// A score for each class, on the grid.
    pub(crate) scores: Vec<GridScore>,
}

/// What the reference standard says of each patient, by all of the cases that it looked at: were it by the images that
/// could be scored, the class would depend on the index test that is judged by it.
pub(crate) fn references(cases: impl IntoIterator<Item = Case>) -> BTreeMap<u32, BTreeSet<u8>> {
    let mut found: BTreeMap<u32, BTreeSet<u8>> = BTreeMap::new();
    for case in cases {
        if let Some(Reference::Class(class)) = case.reference {
            found.entry(case.patient).or_default().insert(class);
        }
    }
    found
}

/// Patients with a scored image, in the order of patients, and those of them who cannot be counted: without an order of
/// classes, cases of several classes give their patient none.
pub(crate) fn patients(
    images: &[ClassImage],
    references: &BTreeMap<u32, BTreeSet<u8>>,
    task: &Task,
    combine: Combine,
) -> (Vec<ClassUnit>, BTreeSet<u32>) {
    let mut classless = BTreeSet::new();
    let mut units = Vec::new();
    let of_patient = |images: &[&ClassImage]| {
        let Some(patient) = images.first().map(|image| image.patient) else { return };
        let class = references.get(&patient).and_then(|classes| class(classes, task));
        match class.and_then(|class| unit(images, class, combine)) {
            Some(unit) => units.push(unit),
            None => {
                classless.insert(patient);
            }
        }
    };
    each_patient(images, |image| image.patient, of_patient);
    (units, classless)
}

fn unit(images: &[&ClassImage], class: u8, combine: Combine) -> Option<ClassUnit> {
    let first = images.first()?;
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

/// A patient has the highest grade of any case; classes without an order must agree.
fn class(classes: &BTreeSet<u8>, task: &Task) -> Option<u8> {
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
    use fedval_ingest::{Attributes, IndexTest};
    use fedval_study::protocol::Class;

    use super::*;

    fn image(patient: u32, scores: [f64; 3]) -> ClassImage {
        ClassImage { patient, case: 0, scores: scores.into() }
    }

    fn case(patient: u32, class: Option<u8>) -> Case {
        Case {
            case_id: String::new(),
            patient,
            index_test: IndexTest::Scores(None),
            reference: class.map(Reference::Class),
            attributes: Attributes::default(),
        }
    }

    fn classes() -> Vec<Class> {
        let class = |name: &str| Class { name: name.parse().unwrap(), values: Vec::new() };
        ["none", "some", "much"].map(class).into()
    }

    #[test]
    fn a_patient_has_the_highest_grade_of_any_image_and_one_call_by_the_rule() {
        let references =
            references([(7, 0), (7, 2), (7, 1), (8, 1)].map(|(of, class)| case(of, Some(class))));
        let images = [
            image(7, [0.5, 0.3, 0.2]),
            image(7, [0.1, 0.2, 0.7]),
            image(7, [0.8, 0.1, 0.1]),
            image(8, [0.4, 0.4, 0.2]),
        ];
        let task = Task::Ordinal(classes());
        for (combine, call) in [(Combine::First, 0), (Combine::Maximum, 2), (Combine::Mean, 0)] {
            let (units, classless) = patients(&images, &references, &task, combine);
            assert!(classless.is_empty());
            assert_eq!((units[0].class, units[0].called), (2, call), "{combine:?}");
            // Of equal scores the lower class is called.
            assert_eq!((units[1].class, units[1].called), (1, 0));
        }
    }

    #[test]
    fn without_an_order_images_of_two_classes_give_their_patient_none() {
        let images = [image(7, [0.5, 0.3, 0.2]), image(7, [0.1, 0.2, 0.7])];
        let references = references([case(7, Some(0)), case(7, Some(2))]);
        let task = Task::MultiClass(classes());
        let (units, classless) = patients(&images, &references, &task, Combine::Mean);
        assert!(units.is_empty());
        assert_eq!(classless, BTreeSet::from([7]));
    }

    #[test]
    fn a_case_that_could_not_be_scored_counts_for_the_class_and_not_for_the_call() {
        // Of each patient one image has a score; the other failed, or has no reference.
        let images = [image(7, [0.5, 0.3, 0.2]), image(8, [0.1, 0.7, 0.2])];
        let references = references([
            case(7, Some(0)),
            case(7, Some(2)),
            case(8, Some(1)),
            case(8, None),
            case(9, Some(2)),
        ]);
        let of = |task: Task| patients(&images, &references, &task, Combine::First);
        let seen = |unit: &ClassUnit| (unit.patient, unit.class, unit.called, unit.cases.len());
        let (units, classless) = of(Task::Ordinal(classes()));
        assert_eq!(units.iter().map(seen).collect::<Vec<_>>(), [(7, 2, 0, 1), (8, 1, 1, 1)]);
        assert!(classless.is_empty(), "of patient 9 nothing was scored");
        let (units, classless) = of(Task::MultiClass(classes()));
        assert_eq!(units.iter().map(seen).collect::<Vec<_>>(), [(8, 1, 1, 1)]);
        assert_eq!(classless, BTreeSet::from([7]));
    }
}
