//! Right calls among the cases of a class, at an operating point.

use fedval_stats::aggregate::ClusterSums;
use fedval_stats::{NotEstimable, proportion};
use fedval_study::protocol::StudyProtocol;
use fedval_study::{Cell, CoarsePerformance, MetricId, Name, Performance};

use super::aggregates::Aggregates;
use super::coarse::RoundedShare;
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

/// Which cases are called.
#[derive(Debug, Clone, Copy)]
pub(super) enum Class {
    Positives,
    Negatives,
}

/// An operating point, and which of the protocol's it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point<'a> {
    pub(super) place: usize,
    pub(super) name: &'a Name,
}

impl Point<'_> {
    /// Operating points stand in the protocol's order: the one is looked for at its place first.
    fn find<'p, P>(self, points: &'p [P], name: impl Fn(&P) -> &Name) -> Option<&'p P> {
        let is_it = |point: &&P| name(point) == self.name;
        points.get(self.place).filter(is_it).or_else(|| points.iter().find(is_it))
    }
}

impl<'a> Proportion<'a> {
    /// The proportion that `metric` names.
    ///
    /// # Errors
    ///
    /// The reason why there is none in counts: another kind of metric, kept back, or under noise.
    pub(super) fn of(
        plan: &StudyProtocol,
        metric: &MetricId,
        aggregates: Aggregates<'a>,
    ) -> Result<Self, Reason> {
        if matches!(aggregates, Aggregates::Noisy { .. }) {
            return Err(Reason::NotDefinedForMethod);
        }
        let (class, name) = match metric {
            MetricId::Sensitivity(name) => (Class::Positives, name),
            MetricId::Specificity(name) => (Class::Negatives, name),
            _ => return Err(Reason::InvalidInput),
        };
        let place = plan.operating_points.iter().position(|point| point.name == *name);
        Self::at(class, Point { place: place.unwrap_or(0), name }, aggregates)
    }

    /// The proportion of right calls in a class at an operating point.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub(super) fn at(
        class: Class,
        point: Point<'_>,
        aggregates: Aggregates<'a>,
    ) -> Result<Self, Reason> {
        match aggregates {
            Aggregates::Exact(performance) => Self::of_exact(class, point, performance),
            Aggregates::Coarse { group, rounding } => {
                Self::of_coarse(class, point, group, rounding)
            }
            Aggregates::Noisy { .. } => Err(Reason::NotDefinedForMethod),
        }
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
