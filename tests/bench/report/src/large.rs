//! A study with many groups, and many sites that answer it.

use fedval_study::protocol::{
    AttributeSource, Category, Dimension, Grouping, OperatingPoint, Profile, StudyProtocol,
};
use fedval_study::result::SubgroupCell;
use fedval_study::{Cell, Outcome, Release, Terms};

use crate::cohort::{Case, Recipe, performance};
use crate::consortium::Answers;

/// Patients of each site for each category: enough of each label to be shown.
const PATIENTS_A_CATEGORY: usize = 48;

/// Four dimensions of so many categories.
pub(crate) fn plan(categories: usize, points: usize) -> StudyProtocol {
    let mut plan = crate::consortium::plan();
    let name = |text: String| text.parse().expect("a name of allowed letters");
    let category = |index: usize| Category {
        name: name(format!("group-{index}")),
        values: vec![index.to_string()],
    };
    plan.subgroups = ["region", "scanner", "age", "ward"]
        .map(|dimension| Dimension {
            name: name(dimension.to_owned()),
            source: AttributeSource::Column(dimension.to_owned()),
            grouping: Grouping::Categories((0..categories).map(category).collect()),
        })
        .to_vec();
    #[expect(clippy::cast_precision_loss, reason = "a handful of points")]
    let threshold = |index: usize| 0.1 + 0.8 * index as f64 / points.max(1) as f64;
    plan.operating_points.extend((2..points).map(|index| OperatingPoint {
        name: name(format!("point-{index}")),
        threshold: threshold(index),
    }));
    plan
}

/// So many sites, each of which releases every group.
pub(crate) fn answers(plan: &StudyProtocol, sites: usize) -> Answers {
    (0..sites)
        .map(|site| {
            let name: &'static str = Box::leak(format!("site-{site:04}").into_boxed_str());
            (name, Some(released(plan, site)))
        })
        .collect()
}

fn released(plan: &StudyProtocol, site: usize) -> Outcome {
    let categories = plan.subgroups[0].category_names().len();
    let seed = u64::try_from(site).unwrap_or(0) + 7;
    let patients = u32::try_from(categories * PATIENTS_A_CATEGORY).unwrap_or(u32::MAX);
    #[expect(clippy::cast_precision_loss, reason = "a thousand sites")]
    let separation = 1.6 + (site % 11) as f64 / 10.0;
    let recipe = Recipe { seed, patients, separation, prevalence: 0.5, ..Recipe::default() };
    let cases = recipe.cases();
    let mut subgroups = Vec::new();
    for (place, dimension) in plan.subgroups.iter().enumerate() {
        for (index, category) in dimension.category_names().into_iter().enumerate() {
            let belongs = |case: &&Case| group(case.patient, place, categories) == index;
            let cases: Vec<Case> = cases.iter().filter(belongs).copied().collect();
            subgroups.push(SubgroupCell {
                dimension: dimension.name.clone(),
                category: category.clone(),
                performance: Cell::Released(performance(&cases, plan)),
            });
        }
    }
    Outcome::Released(Box::new(Release {
        terms: Terms::exact(Profile::Standard, 11),
        attrition: Vec::new(),
        overall: performance(&cases, plan),
        subgroups,
    }))
}

/// Each dimension deals the patients out in another order.
fn group(patient: u32, dimension: usize, categories: usize) -> usize {
    let patient = usize::try_from(patient).unwrap_or(0);
    match dimension {
        0 => patient % categories,
        1 => patient / PATIENTS_A_CATEGORY % categories,
        2 => (patient + patient / categories) % categories,
        _ => (patient * 7 + 3) % categories,
    }
}
