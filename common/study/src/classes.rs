//! What a site says of a task with several classes: every patient counted once.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::CrossTable;
use fedval_stats::multiclass::OneVersusRestSums;
use ndarray::{Array2, Array3};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::canonical::exact_u64;
use crate::performance::{ContradictoryPerformance, holds};
use crate::protocol::MOST_CLASSES;

/// More patients are no cohort: sums of products of placements keep room.
const MOST_PATIENTS: u64 = 1 << 40;

/// The aggregates of K classes, 2 ≤ K ≤ 10.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassPerformance {
    /// Sums over placements; present where the task asks for areas, which grades do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub areas: Option<Box<ClassAreas>>,
    /// Patients, K × K: by the reference standard's class, then by the class that they are called.
    #[serde(serialize_with = "write_counts")]
    pub confusion: Vec<Vec<u64>>,
}

/// Sums of doubled placements by class: what the K areas of one class against the rest and their joint
/// covariance need (see [`OneVersusRestSums`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassAreas {
    /// `Σ_{i in c} t_ij t_ik` for j ≤ k, one list a class c: (0,0), (0,1) … (0,K−1), (1,1) …
    #[serde(serialize_with = "write_sums", deserialize_with = "read_sums")]
    pub products: Vec<Vec<u128>>,
    /// `Σ_{i in c} t_ij`, K × K: the class of the patient, then that of the area.
    #[serde(serialize_with = "write_sums", deserialize_with = "read_sums")]
    pub totals: Vec<Vec<u128>>,
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

    /// What the areas are estimated from.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where there are none, or of another shape.
    pub fn one_versus_rest(&self) -> Result<OneVersusRestSums, NotEstimable> {
        let k = self.classes();
        let areas = self.areas.as_deref().filter(|areas| areas.has_shape(k));
        let areas = areas.ok_or(NotEstimable::InvalidInput)?;
        Ok(OneVersusRestSums {
            sizes: self.sizes(),
            totals: Array2::from_shape_fn((k, k), |(class, of)| areas.totals[class][of]),
            products: Array3::from_shape_fn((k, k, k), |(class, i, j)| {
                areas.products[class][packed(k, i.min(j), i.max(j))]
            }),
        })
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
        holds(areas.has_shape(k), "sums over placements have a place for each class")?;
        areas.check(&self.sizes(), patients)
    }
}

impl ClassAreas {
    /// Takes the sums of a cohort apart.
    #[must_use]
    pub fn of(sums: &OneVersusRestSums) -> Self {
        let k = sums.sizes.len();
        let pairs = || (0..k).flat_map(move |i| (i..k).map(move |j| (i, j)));
        let products = |class: usize| pairs().map(|(i, j)| sums.products[[class, i, j]]).collect();
        let totals = |class: usize| (0..k).map(|of| sums.totals[[class, of]]).collect();
        Self { products: (0..k).map(products).collect(), totals: (0..k).map(totals).collect() }
    }

    fn has_shape(&self, k: usize) -> bool {
        let pairs = k * (k + 1) / 2;
        self.totals.len() == k
            && self.totals.iter().all(|row| row.len() == k)
            && self.products.len() == k
            && self.products.iter().all(|row| row.len() == pairs)
    }

    /// Bounds that placements keep: a doubled placement is at most twice the cases on the other side, and
    /// those of both sides count the same pairs.
    fn check(&self, sizes: &[u64], patients: u64) -> Result<(), ContradictoryPerformance> {
        let k = sizes.len();
        for class in 0..k {
            let size = u128::from(sizes[class]);
            let most = |of: usize| {
                let own = sizes[of];
                2 * u128::from(if class == of { patients - own } else { own })
            };
            let square = |of: usize| self.products[class][packed(k, of, of)];
            for i in 0..k {
                let total = self.totals[class][i];
                holds(total <= size * most(i), "placements keep their bounds")?;
                holds(square(i) <= size * most(i) * most(i), "placements keep their bounds")?;
                let spread = size.checked_mul(square(i)).zip(total.checked_mul(total));
                let is_one = spread.is_some_and(|(squares, squared)| squares >= squared);
                holds(is_one, "squares are at least those of the mean")?;
                for j in i..k {
                    let product = self.products[class][packed(k, i, j)];
                    holds(2 * product <= square(i) + square(j), "products lie below squares")?;
                }
            }
        }
        let same_pairs = |of: usize| {
            let others = (0..k).filter(|class| *class != of).map(|class| self.totals[class][of]);
            others.fold(0_u128, u128::saturating_add) == self.totals[of][of]
        };
        holds((0..k).all(same_pairs), "both sides of an area count the same pairs")
    }
}

/// The place of the pair (i, j), i ≤ j < k, among all of them.
const fn packed(k: usize, i: usize, j: usize) -> usize {
    i * (2 * k - i + 1) / 2 + (j - i)
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

fn write_sums<S: Serializer>(rows: &[Vec<u128>], serializer: S) -> Result<S::Ok, S::Error> {
    let digits = |row: &Vec<u128>| row.iter().map(ToString::to_string).collect::<Vec<_>>();
    serializer.collect_seq(rows.iter().map(digits))
}

fn read_sums<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u128>>, D::Error> {
    let rows: Vec<Vec<String>> = Vec::deserialize(deserializer)?;
    let number = |digits: &String| digits.parse().map_err(serde::de::Error::custom);
    rows.iter().map(|row| row.iter().map(number).collect()).collect()
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
        ClassPerformance { areas: Some(Box::new(ClassAreas::of(&sums))), confusion }
    }

    #[test]
    fn sums_survive_their_form_and_keep_every_relation() {
        let found = performance();
        assert_eq!(found.check(), Ok(()));
        assert_eq!(found.one_versus_rest(), Ok(sums()));
        let canonical = Canonical::new(found.clone()).unwrap();
        let read: Canonical<ClassPerformance> = Canonical::parse(canonical.bytes()).unwrap();
        assert_eq!(read.value(), &found);
    }

    #[test]
    fn what_no_cohort_has_is_refused() {
        let wrong: [fn(&mut ClassPerformance); 7] = [
            |p| p.confusion.truncate(1),
            |p| p.confusion[1].push(0),
            |p| p.confusion[0][0] = u64::MAX,
            |p| p.areas.as_mut().unwrap().totals[0].truncate(2),
            |p| p.areas.as_mut().unwrap().totals[0][0] += 1,
            |p| p.areas.as_mut().unwrap().products[0][0] = u128::MAX / 4,
            |p| p.areas.as_mut().unwrap().products[2][1] *= 100,
        ];
        for (place, wrong) in wrong.into_iter().enumerate() {
            let mut found = performance();
            wrong(&mut found);
            assert!(found.check().is_err(), "{place}");
        }
    }
}
