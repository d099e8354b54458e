//! What the index test answers: whether a condition is there, which of several conditions are, which of several classes,
//! how much of a quantity, what is where, or where a structure is.

use serde::{Deserialize, Serialize};

use super::{
    Assessed, Condition, DetectionPlan, OutputForm, Quantity, ReferenceStandard, Structure,
    StudyProtocol,
};
use crate::id::Name;
use crate::measures::MeasureRange;

/// Most classes of a task: a table of calls has the square of it.
pub const MOST_CLASSES: usize = 10;

/// A class of the reference standard, which the model gives a probability of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Its name.
    pub name: Name,
    /// Values of the manifest's label column that mean it.
    pub values: Vec<String>,
}

/// The task, with the classes that it tells apart, in the order of the model's output.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Whether the target condition is there: the values that mean so stand in the reference standard.
    #[default]
    Binary,
    /// One of several classes without an order.
    MultiClass(Vec<Class>),
    /// Which of several conditions are there: a patient may have any of them, and be assessed for some alone.
    MultiLabel(Vec<Condition>),
    /// One of several grades, the least first.
    Ordinal(Vec<Class>),
    /// How much of a quantity.
    Regression(Quantity),
    /// Findings with a place and a score.
    Detection(DetectionPlan),
    /// Where a structure is: a mask of each case, beside the mask of the reference standard.
    Segmentation(Structure),
}

impl Task {
    /// Whether it is the task of protocols that were written before there was a choice: they have no such key,
    /// and keep their digest.
    #[must_use]
    pub const fn is_binary(&self) -> bool {
        matches!(self, Self::Binary)
    }

    /// The structure, of a task of masks.
    #[must_use]
    pub const fn structure(&self) -> Option<&Structure> {
        match self {
            Self::Segmentation(structure) => Some(structure),
            Self::Binary
            | Self::MultiClass(_)
            | Self::MultiLabel(_)
            | Self::Ordinal(_)
            | Self::Regression(_)
            | Self::Detection(_) => None,
        }
    }

    /// The conditions, in the order of the model's output; none of a task without several.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        match self {
            Self::MultiLabel(conditions) => conditions,
            Self::Binary
            | Self::MultiClass(_)
            | Self::Ordinal(_)
            | Self::Regression(_)
            | Self::Detection(_)
            | Self::Segmentation(_) => &[],
        }
    }

    /// Scores of a case: one for each class or condition where there are several.
    #[must_use]
    pub fn scores(&self) -> usize {
        self.classes().len().max(self.conditions().len()).max(1)
    }

    /// The classes, in the order of the model's output; none of a task without any.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        match self {
            Self::Binary
            | Self::MultiLabel(_)
            | Self::Regression(_)
            | Self::Detection(_)
            | Self::Segmentation(_) => &[],
            Self::MultiClass(classes) | Self::Ordinal(classes) => classes,
        }
    }

    /// The measures of each patient, in the order in which they are released; none of a task that counts.
    #[must_use]
    pub fn measures(&self) -> Vec<MeasureRange> {
        match self {
            Self::Binary
            | Self::MultiClass(_)
            | Self::MultiLabel(_)
            | Self::Ordinal(_)
            | Self::Detection(_) => Vec::new(),
            Self::Regression(quantity) => quantity.measures(),
            Self::Segmentation(structure) => structure.measures(),
        }
    }

    /// Whether patients are measured, not counted.
    #[must_use]
    pub const fn is_of_measures(&self) -> bool {
        matches!(self, Self::Regression(_) | Self::Segmentation(_))
    }

    /// The quantity of a regression.
    #[must_use]
    pub const fn quantity(&self) -> Option<&Quantity> {
        match self {
            Self::Regression(quantity) => Some(quantity),
            Self::Binary
            | Self::MultiClass(_)
            | Self::MultiLabel(_)
            | Self::Ordinal(_)
            | Self::Detection(_)
            | Self::Segmentation(_) => None,
        }
    }

    /// What is counted, where findings are.
    #[must_use]
    pub const fn detection(&self) -> Option<&DetectionPlan> {
        match self {
            Self::Detection(plan) => Some(plan),
            Self::Binary
            | Self::MultiClass(_)
            | Self::MultiLabel(_)
            | Self::Ordinal(_)
            | Self::Regression(_)
            | Self::Segmentation(_) => None,
        }
    }
}

/// What a value of the label column says.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reference {
    /// Whether the target condition is there.
    Condition(bool),
    /// The place of the class in [`Task::classes`].
    Class(u8),
    /// The quantity, in 10⁻⁶ of its unit, as it was written: bounds are for whoever counts.
    Value(i64),
    /// There is a mask.
    Mask,
    /// Which conditions are there, of those that were assessed: at least one.
    Conditions(Assessed),
    /// The image was read for findings, which stand in a file of their own.
    Findings,
}

impl std::fmt::Debug for Reference {
    /// The bare value: digests of cohorts that were made before there were classes hold it so.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Condition(is_there) => is_there.fmt(f),
            Self::Class(place) => place.fmt(f),
            Self::Value(micro) => micro.fmt(f),
            Self::Mask => f.write_str("mask"),
            Self::Conditions(assessed) => assessed.fmt(f),
            Self::Findings => f.write_str("findings"),
        }
    }
}

/// The values of the label column that a protocol knows.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'p> {
    /// Its task, with those of each class.
    pub task: &'p Task,
    /// Its reference standard, with those of a binary task.
    pub standard: &'p ReferenceStandard,
    /// Whether an image may be a folder: the slices of a volume.
    pub takes_folders: bool,
    /// What its model gives: whether it runs where masks or findings are judged.
    pub form: OutputForm,
}

impl StudyProtocol {
    /// The values of the label column that it knows.
    #[must_use]
    pub const fn labels(&self) -> Labels<'_> {
        Labels {
            task: &self.task,
            standard: &self.reference_standard,
            takes_folders: self.model.input.volume.is_some(),
            form: self.model.output.form,
        }
    }
}

impl Labels<'_> {
    /// What a value says; `None` for one that the protocol does not list.
    #[must_use]
    pub fn reference_of(&self, label: &str) -> Option<Reference> {
        if self.task.quantity().is_some() {
            let value = label.parse().ok().and_then(Quantity::micro);
            return value.map(Reference::Value);
        }
        let is_in = |values: &[String]| values.iter().any(|value| value == label);
        if self.task.is_binary() {
            let is_there = is_in(&self.standard.positive).then_some(true);
            let is_not = || is_in(&self.standard.negative).then_some(false);
            return is_there.or_else(is_not).map(Reference::Condition);
        }
        let place = self.task.classes().iter().position(|class| is_in(&class.values))?;
        u8::try_from(place).ok().map(Reference::Class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_digested_as_it_was_before_there_were_classes() {
        assert_eq!(format!("{:?}", Some(Reference::Condition(true))), format!("{:?}", Some(true)));
        assert_eq!(format!("{:?}", Reference::Class(3)), "3");
    }

    #[test]
    fn a_label_of_a_regression_is_any_finite_number() {
        let quantity = Quantity {
            grid_micro: 1_000,
            largest_error_micro: 1_000_000,
            lower_micro: 0,
            name: "ejection-fraction".parse().unwrap(),
            unit: "%".to_owned(),
            upper_micro: 100_000_000,
        };
        let task = Task::Regression(quantity);
        let standard = ReferenceStandard {
            description: String::new(),
            positive: Vec::new(),
            negative: Vec::new(),
        };
        let form = OutputForm::Scores;
        let labels = Labels { task: &task, standard: &standard, takes_folders: false, form };
        assert_eq!(labels.reference_of("55.25"), Some(Reference::Value(55_250_000)));
        assert_eq!(labels.reference_of("-3"), Some(Reference::Value(-3_000_000)));
        for bad in ["", "NaN", "inf", "55,25", "55 %", "high"] {
            assert_eq!(labels.reference_of(bad), None, "{bad}");
        }
        assert_eq!(task.measures().len(), 3);
        assert_eq!(format!("{:?}", Reference::Value(-7)), "-7");
    }

    #[test]
    fn a_binary_task_is_not_written_and_others_name_their_classes() {
        let class = Class { name: "none".parse().unwrap(), values: vec!["0".to_owned()] };
        let task = Task::Ordinal(vec![class]);
        let text = serde_json::to_string(&task).unwrap();
        assert_eq!(text, r#"{"ordinal":[{"name":"none","values":["0"]}]}"#);
        assert_eq!(serde_json::from_str::<Task>(&text).unwrap(), task);
        assert!(Task::default().is_binary());
    }
}
