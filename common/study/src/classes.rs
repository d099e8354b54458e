//! What a site says of a task with several classes: every patient counted once.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::{CrossTable, RankSums};
use fedval_stats::auroc::delong;
use fedval_stats::multiclass::{OneVersusRestSums, one_versus_rest};
use ndarray::Array2;
use serde::{Deserialize, Serialize, Serializer};

use crate::canonical::exact_u64;
use crate::form::{self, RankSumsForm};
use crate::performance::{ContradictoryPerformance, holds, keeps_bounds};
use crate::protocol::MOST_CLASSES;

/// More patients are no cohort.
const MOST_PATIENTS: u64 = 1 << 40;

/// The aggregates of K classes, 2 ≤ K ≤ 10.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassPerformance {
    /// Present where the task asks for areas, which grades do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub areas: Option<Box<ClassAreas>>,
    /// Patients, K × K: by the reference standard's class, then by the class that they are called.
    #[serde(serialize_with = "write_counts")]
    pub confusion: Vec<Vec<u64>>,
}

/// The areas of each class against the rest.
///
/// Sums by class of the products of two areas' placements would give their covariance, and of a good model give away
/// how single patients rank in every area at once. Of the covariance only what the mean needs is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassAreas {
    /// The standard error of the mean of the areas, in 10⁻⁹, from their joint covariance (see
    /// [`OneVersusRest::macro_se`](fedval_stats::multiclass::OneVersusRest::macro_se)).
    #[serde(serialize_with = "exact_u64")]
    pub macro_se_nano: u64,
    /// Sums of doubled placements of each class against the rest, in the protocol's order.
    #[serde(
        serialize_with = "form::write_list::<_, RankSumsForm, _>",
        deserialize_with = "form::read_list::<_, RankSumsForm, _>"
    )]
    pub ranks: Vec<RankSums>,
}

impl ClassPerformance {
    /// The number of classes.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.confusion.len()
    }

    /// Patients of each class of the reference standard.
    #[must_use]
    pub fn sizes(&self) -> Vec<u64> {
        self.confusion.iter().map(|row| sum(row)).collect()
    }

    /// All patients.
    #[must_use]
    pub fn patients(&self) -> u64 {
        sum(&self.sizes())
    }

    /// Patients that are called each class.
    #[must_use]
    pub fn called(&self) -> Vec<u64> {
        let column = |class: usize| -> Vec<u64> {
            self.confusion.iter().filter_map(|row| row.get(class).copied()).collect()
        };
        (0..self.classes()).map(|class| sum(&column(class))).collect()
    }

    /// Patients of a class that are called it.
    #[must_use]
    pub fn right(&self, class: usize) -> u64 {
        self.confusion.get(class).and_then(|row| row.get(class)).copied().unwrap_or(0)
    }

    /// The table that agreement is estimated from.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where it is not square.
    pub fn cross_table(&self) -> Result<CrossTable, NotEstimable> {
        let k = self.classes();
        let cells: Vec<u64> = self.confusion.concat();
        let table = Array2::from_shape_vec((k, k), cells);
        CrossTable::new(table.map_err(|_| NotEstimable::InvalidInput)?)
    }

    /// The consistency that can be tested without the data.
    ///
    /// # Errors
    ///
    /// [`ContradictoryPerformance`] names the relation that does not hold.
    pub fn check(&self) -> Result<(), ContradictoryPerformance> {
        let k = self.classes();
        holds((2..=MOST_CLASSES).contains(&k), "a task has 2 to 10 classes")?;
        holds(self.confusion.iter().all(|row| row.len() == k), "a table of calls is square")?;
        let all = self.confusion.iter().flatten();
        let patients = all.fold(0_u64, |sum, count| sum.saturating_add(*count));
        holds(patients <= MOST_PATIENTS, "patients are no more than a cohort has")?;
        let Some(areas) = self.areas.as_deref() else { return Ok(()) };
        holds(areas.ranks.len() == k, "each class has an area")?;
        areas.check(&self.sizes(), patients)
    }
}

impl ClassAreas {
    /// What of the areas of a cohort is told.
    ///
    /// # Errors
    ///
    /// Those of [`one_versus_rest`] and of the error of the mean.
    pub fn of(sums: &OneVersusRestSums) -> Result<Self, NotEstimable> {
        let se = one_versus_rest(sums)?.macro_se()?;
        let ranks = (0..sums.sizes.len()).map(|class| sums.ranks(class));
        Ok(Self {
            macro_se_nano: nano(se).ok_or(NotEstimable::InvalidInput)?,
            ranks: ranks.collect::<Option<_>>().ok_or(NotEstimable::InvalidInput)?,
        })
    }

    /// The mean of the areas.
    ///
    /// # Errors
    ///
    /// The first reason of an area.
    pub fn macro_area(&self) -> Result<f64, NotEstimable> {
        let (mut sum, mut areas) = (0.0, 0.0);
        for ranks in &self.ranks {
            sum += delong(ranks)?.auc;
            areas += 1.0;
        }
        Ok(sum / areas)
    }

    /// The standard error of the mean of the areas.
    #[must_use]
    pub const fn macro_se(&self) -> f64 {
        from_nano(self.macro_se_nano)
    }

    /// Every area compares all patients, and their mean is no less certain than they are.
    fn check(&self, sizes: &[u64], patients: u64) -> Result<(), ContradictoryPerformance> {
        let (mut errors, mut areas) = (0.0, 0.0);
        for (ranks, size) in self.ranks.iter().zip(sizes) {
            let is_whole = ranks.n_pos == *size && Some(ranks.n_neg) == patients.checked_sub(*size);
            holds(is_whole, "an area compares a class with all others")?;
            keeps_bounds(ranks.check())?;
            let area = delong(ranks).ok();
            holds(area.is_some(), "two patients stand on each side of an area")?;
            errors += area.map_or(0.0, |area| area.se);
            areas += 1.0;
        }
        // A unit more: both were rounded.
        let most = nano(errors / areas).map_or(0, |most| most + 1);
        holds(self.macro_se_nano <= most, "a mean errs no more than what it is of")
    }
}

/// Units of 10⁻⁹ in one.
const NANO: f64 = 1e9;

/// A standard error from the form in which it travels.
#[expect(clippy::cast_precision_loss, reason = "below 2⁵³")]
pub(crate) const fn from_nano(nano: u64) -> f64 {
    nano as f64 / NANO
}

/// To the next unit; `None` of what is no standard error.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to 0 and 10⁹")]
pub(crate) fn nano(se: f64) -> Option<u64> {
    (0.0..=1.0).contains(&se).then(|| (se * NANO).round() as u64)
}

fn sum(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count))
}

/// A count that a JSON reader would not round.
#[derive(Serialize)]
#[serde(transparent)]
struct Exact(#[serde(serialize_with = "exact_u64")] u64);

fn write_counts<S: Serializer>(rows: &[Vec<u64>], serializer: S) -> Result<S::Ok, S::Error> {
    let exact = |row: &Vec<u64>| row.iter().map(|count| Exact(*count)).collect::<Vec<_>>();
    serializer.collect_seq(rows.iter().map(exact))
}

#[cfg(test)]
mod tests {
    use fedval_stats::multiclass::ClassScores;

    use super::*;
    use crate::Canonical;

    fn sums() -> OneVersusRestSums {
        let keys = Array2::from_shape_fn((12, 3), |(case, class)| {
            i64::try_from((case * 7 + class * 5) % 11).unwrap()
        });
        let class = (0..12).map(|case| (case * case + case / 3) % 3).collect();
        OneVersusRestSums::of(&ClassScores::new(class, keys).unwrap())
    }

    fn performance() -> ClassPerformance {
        let sums = sums();
        let confusion = sums.sizes.iter().map(|size| vec![*size, 0, 0]).collect();
        ClassPerformance { areas: Some(Box::new(ClassAreas::of(&sums).unwrap())), confusion }
    }

    #[test]
    fn sums_survive_their_form_and_keep_every_relation() {
        let found = performance();
        assert_eq!(found.check(), Ok(()));
        let canonical = Canonical::new(found.clone()).unwrap();
        let read: Canonical<ClassPerformance> = Canonical::parse(canonical.bytes()).unwrap();
        assert_eq!(read.value(), &found);
    }

    #[test]
    fn what_no_cohort_has_is_refused() {
        let wrong: [fn(&mut ClassPerformance); 9] = [
            |p| p.confusion.truncate(1),
            |p| p.confusion[1].push(0),
            |p| p.confusion[0][0] = u64::MAX,
            |p| p.areas.as_mut().unwrap().ranks.truncate(2),
            |p| p.areas.as_mut().unwrap().ranks.swap(0, 1),
            |p| p.areas.as_mut().unwrap().ranks[0].doubled_u += 1,
            |p| p.areas.as_mut().unwrap().ranks[0].pos_squares = u128::MAX,
            |p| p.areas.as_mut().unwrap().macro_se_nano *= 2,
            |p| p.areas.as_mut().unwrap().macro_se_nano = u64::MAX,
        ];
        for (place, wrong) in wrong.into_iter().enumerate() {
            let mut found = performance();
            wrong(&mut found);
            assert!(found.check().is_err(), "{place}");
        }
    }
}
