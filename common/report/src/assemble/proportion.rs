//! Right calls among the cases of a class, at an operating point.

use fedval_stats::aggregate::ClusterSums;
use fedval_stats::{NotEstimable, proportion};
use fedval_study::protocol::{Class as OfTask, OperatingPoint, StudyProtocol};
use fedval_study::{Cell, ClassPerformance, CoarsePerformance, MetricId, Name, Performance};

use super::aggregates::Aggregates;
use super::coarse::RoundedShare;
use super::{conditions, detection};
use crate::report::Reason;

/// Successes among cases, with their sums by patient where patients repeat.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proportion<'a> {
    pub(super) successes: u64,
    pub(super) cases: u64,
    pub(super) clusters: Option<&'a ClusterSums>,
    /// By how much each count may be rounded off.
    pub(super) rounding: u64,
}

/// A proportion, or why there is none in counts.
type Found<'a> = Result<Proportion<'a>, Reason>;

/// Right calls at every operating point of the protocol, among positives and among negatives. They are looked for
/// once: a report asks several times for each, and results are far apart in memory.
#[derive(Debug, Clone)]
pub(super) struct Calls<'a> {
    points: Vec<(&'a Name, [Found<'a>; 2])>,
    /// The same for every class of the task, where there are several.
    classes: Vec<(&'a Name, [Found<'a>; 2])>,
    /// Right calls among all.
    accuracy: Found<'a>,
    /// Lesions found among all.
    lesions: Found<'a>,
}

impl<'a> Calls<'a> {
    pub(super) fn of(plan: &'a StudyProtocol, aggregates: Aggregates<'a>) -> Self {
        let found = |(place, point): (usize, &'a OperatingPoint)| {
            let name = &point.name;
            let at = |class| match aggregates {
                Aggregates::Conditions(of) => conditions::at_point(plan, of, name)
                    .and_then(|of| Proportion::of_exact(class, Point { place, name }, of)),
                _ => Proportion::at(class, Point { place, name }, aggregates),
            };
            (name, [at(Class::Positives), at(Class::Negatives)])
        };
        let points = plan.operating_points.iter().enumerate().map(found).collect();
        let none = Err(Reason::InvalidInput);
        let lesions = match aggregates {
            Aggregates::Detection(performance) => Ok(detection::lesions(performance)),
            _ => none,
        };
        let Aggregates::Classes(performance) = aggregates else {
            return Self { points, classes: Vec::new(), accuracy: none, lesions };
        };
        let classes = plan.task.classes().iter().enumerate();
        let of_class = |(place, class): (usize, &'a OfTask)| {
            (&class.name, Proportion::of_class(place, performance).map(Ok))
        };
        let accuracy = Ok(Proportion::of_all(performance));
        Self { points, classes: classes.map(of_class).collect(), accuracy, lesions }
    }

    /// The proportion that `metric` names.
    ///
    /// # Errors
    ///
    /// The reason why there is none: another kind of metric, kept back, or under noise.
    pub(super) fn get(&self, metric: &MetricId) -> Found<'a> {
        let (among, name, class) = match metric {
            MetricId::Sensitivity(name) => (&self.points, name, Class::Positives),
            MetricId::Specificity(name) => (&self.points, name, Class::Negatives),
            MetricId::ClassSensitivity(name) => (&self.classes, name, Class::Positives),
            MetricId::ClassSpecificity(name) => (&self.classes, name, Class::Negatives),
            MetricId::Accuracy => return self.accuracy,
            MetricId::LesionSensitivity(_) => return self.lesions,
            _ => return Err(Reason::InvalidInput),
        };
        let point = among.iter().find(|(of, _)| *of == name);
        let (_, [positives, negatives]) = point.ok_or(Reason::InvalidInput)?;
        match class {
            Class::Positives => *positives,
            Class::Negatives => *negatives,
        }
    }

    /// Both at one point of the protocol, among positives and among negatives.
    pub(super) fn at(&self, place: usize) -> [Found<'a>; 2] {
        self.points.get(place).map_or([Err(Reason::InvalidInput); 2], |(_, found)| *found)
    }
}

/// Which cases are called.
#[derive(Debug, Clone, Copy)]
enum Class {
    Positives,
    Negatives,
}

/// An operating point, and which of the protocol's it is.
#[derive(Debug, Clone, Copy)]
struct Point<'a> {
    place: usize,
    name: &'a Name,
}

impl Point<'_> {
    /// Operating points stand in the protocol's order: the one is looked for at its place first.
    fn find<P>(self, points: &[P], name: impl Fn(&P) -> &Name) -> Option<&P> {
        let is_it = |point: &&P| name(point) == self.name;
        points.get(self.place).filter(is_it).or_else(|| points.iter().find(is_it))
    }
}

impl<'a> Proportion<'a> {
    /// The proportion of right calls in a class at an operating point.
    ///
    /// # Errors
    ///
    /// The reason why there is none in counts: kept back, or under noise.
    fn at(class: Class, point: Point<'_>, aggregates: Aggregates<'a>) -> Result<Self, Reason> {
        match aggregates {
            Aggregates::Exact(performance) => Self::of_exact(class, point, performance),
            Aggregates::Coarse { group, rounding } => {
                Self::of_coarse(class, point, group, rounding)
            }
            Aggregates::Noisy { .. } => Err(Reason::NotDefinedForMethod),
            // Those of several conditions are looked for in that which the point is of.
            Aggregates::Classes(_)
            | Aggregates::Conditions(_)
            | Aggregates::Measures(_)
            | Aggregates::Detection(_) => Err(Reason::NotDefinedForTask),
        }
    }

    /// Those of a class who are called it, and all others who are not.
    fn of_class(class: usize, performance: &ClassPerformance) -> [Self; 2] {
        let at = |counts: Vec<u64>| counts.get(class).copied().unwrap_or(0);
        let (size, called) = (at(performance.sizes()), at(performance.called()));
        let (right, others) =
            (performance.right(class), performance.patients().saturating_sub(size));
        let wrongly_called = called.saturating_sub(right);
        [
            Self { successes: right, cases: size, clusters: None, rounding: 0 },
            Self {
                successes: others.saturating_sub(wrongly_called),
                cases: others,
                clusters: None,
                rounding: 0,
            },
        ]
    }

    fn of_all(performance: &ClassPerformance) -> Self {
        let right = (0..performance.classes()).map(|class| performance.right(class));
        let successes = right.fold(0, u64::saturating_add);
        Self { successes, cases: performance.patients(), clusters: None, rounding: 0 }
    }

    fn of_exact(
        class: Class,
        point: Point<'_>,
        performance: &'a Performance,
    ) -> Result<Self, Reason> {
        let found = point.find(&performance.operating_points, |counts| &counts.name);
        let point = found.ok_or(Reason::InvalidInput)?;
        let (successes, cases, clusters) = match class {
            Class::Positives => {
                (point.counts.tp, point.counts.n_pos(), &point.sensitivity_clusters)
            }
            Class::Negatives => {
                (point.counts.tn, point.counts.n_neg(), &point.specificity_clusters)
            }
        };
        Ok(Self { successes, cases, clusters: clusters.as_deref(), rounding: 0 })
    }

    fn of_coarse(
        class: Class,
        point: Point<'_>,
        group: &'a CoarsePerformance,
        rounding: u64,
    ) -> Result<Self, Reason> {
        let found = point.find(&group.operating_points, |counts| &counts.name);
        let point = found.ok_or(Reason::InvalidInput)?;
        let (errors, cases) = match class {
            Class::Positives => (point.false_negatives, group.n_pos),
            Class::Negatives => (point.false_positives, group.n_neg),
        };
        match errors {
            Cell::Released(errors) => {
                let successes = cases.saturating_sub(errors);
                Ok(Self { successes, cases, clusters: None, rounding })
            }
            Cell::Suppressed => Err(Reason::Withheld),
        }
    }

    /// The same as a rounded share, where it is one.
    pub(super) const fn rounded(&self) -> Option<RoundedShare> {
        if self.rounding == 0 {
            return None;
        }
        let Self { successes, cases, rounding, .. } = *self;
        Some(RoundedShare { successes, cases, rounding })
    }

    /// Whether one of the two error cells is empty: the proportion is 0 or 1.
    pub(super) const fn has_empty_cell(&self) -> bool {
        self.cases > 0 && (self.successes == 0 || self.successes == self.cases)
    }

    /// The standard error: between patients where they repeat, binomial otherwise.
    pub(super) fn se(&self) -> Result<f64, NotEstimable> {
        if let Some(rounded) = self.rounded() {
            return rounded.se();
        }
        match self.clusters {
            Some(clusters) => proportion::clustered(clusters).map(|fit| fit.se),
            None => proportion::clustered(&one_case_each(self.successes, self.cases))
                .map(|fit| fit.naive_se),
        }
    }
}

/// The sums of independent cases: every case is its own patient.
fn one_case_each(successes: u64, cases: u64) -> ClusterSums {
    let total = u128::from(successes);
    ClusterSums {
        clusters: cases,
        size: cases,
        total,
        total_squares: total,
        total_by_size: total,
        size_squares: cases,
    }
}
