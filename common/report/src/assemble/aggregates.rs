//! What a site released of one group, whatever its disclosure terms made of it.

use fedval_study::noisy::edges_micro;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{
    Cell, ClassPerformance, CoarsePerformance, ConditionPerformance, DetectionPerformance,
    MeasurePerformance, Name, NoisyPerformance, Outcome, Performance, SiteResult, Terms,
};

/// The aggregates of one group in the form that the site's terms allow.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aggregates<'a> {
    /// Exact counts.
    Exact(&'a Performance),
    /// Response counts that may stay, or numbers on grids.
    Coarse {
        group: &'a CoarsePerformance,
        /// By how much a count may be rounded off, up or down.
        rounding: u64,
    },
    /// A histogram with noise.
    Noisy {
        group: &'a NoisyPerformance,
        /// Standard deviation of a bin's noise.
        sigma: f64,
    },
    /// Several classes, in exact counts.
    Classes(&'a ClassPerformance),
    /// Several conditions, in exact counts.
    Conditions(&'a ConditionPerformance),
    /// Means and spreads of measures, on grids.
    Measures(&'a MeasurePerformance),
    /// Findings with a place, in exact counts.
    Detection(&'a DetectionPerformance),
}

impl<'a> Aggregates<'a> {
    /// The whole cohort; `None` where nothing was released.
    pub(super) fn whole(plan: &StudyProtocol, result: &'a SiteResult) -> Option<Self> {
        match &result.outcome {
            Outcome::Released(release) => Some(Self::Exact(&release.overall)),
            Outcome::ReleasedCoarse(release) => Some(Self::Coarse {
                group: &release.overall,
                rounding: release.terms.rounding_base / 2,
            }),
            Outcome::ReleasedNoisy(release) => {
                Some(Self::Noisy { group: &release.overall, sigma: sigma(plan, &release.terms) })
            }
            Outcome::ReleasedClasses(release) => Some(Self::Classes(&release.overall)),
            Outcome::ReleasedConditions(release) => Some(Self::Conditions(&release.overall)),
            Outcome::ReleasedMeasures(release) => Some(Self::Measures(&release.overall)),
            Outcome::ReleasedDetection(release) => Some(Self::Detection(&release.overall)),
            Outcome::Insufficient | Outcome::Refused | Outcome::Failed(_) => None,
        }
    }

    /// One cell; `None` where nothing was released of any.
    pub(super) fn cell(
        plan: &StudyProtocol,
        result: &'a SiteResult,
        cell: CellName<'_>,
    ) -> Option<Cell<Self>> {
        match &result.outcome {
            Outcome::Released(release) => {
                find(&release.subgroups, cell).map(|cell| shown(cell, Self::Exact))
            }
            Outcome::ReleasedCoarse(release) => {
                // A cell may have been rounded away from the nearest, to add up.
                let rounding = release.terms.rounding_base.saturating_sub(1);
                find(&release.subgroups, cell)
                    .map(|cell| shown(cell, |group| Self::Coarse { group, rounding }))
            }
            Outcome::ReleasedNoisy(release) => {
                let sigma = sigma(plan, &release.terms);
                find(&release.subgroups, cell)
                    .map(|cell| shown(cell, |group| Self::Noisy { group, sigma }))
            }
            Outcome::ReleasedMeasures(release) => {
                find(&release.subgroups, cell).map(|cell| shown(cell, Self::Measures))
            }
            Outcome::ReleasedDetection(release) => {
                find(&release.subgroups, cell).map(|cell| shown(cell, Self::Detection))
            }
            Outcome::ReleasedConditions(release) => {
                find(&release.subgroups, cell).map(|cell| shown(cell, Self::Conditions))
            }
            Outcome::ReleasedClasses(_)
            | Outcome::Insufficient
            | Outcome::Refused
            | Outcome::Failed(_) => None,
        }
    }

    /// Cases with and without the target condition; `None` where there is no one condition.
    pub(super) fn cases(self) -> Option<(u64, u64)> {
        Some(match self {
            Self::Exact(p) => (p.ranks.n_pos, p.ranks.n_neg),
            Self::Coarse { group, .. } => (group.n_pos, group.n_neg),
            Self::Noisy { group, .. } => {
                let sum = |bins: &[fedval_study::noisy::NoisyCount]| {
                    u64::try_from(bins.iter().map(|bin| bin.0).sum::<i64>()).unwrap_or(0)
                };
                (sum(&group.positives), sum(&group.negatives))
            }
            // Scans with a lesion and without.
            Self::Detection(p) => (p.scans_with, p.scans_without),
            Self::Classes(_) | Self::Conditions(_) | Self::Measures(_) => return None,
        })
    }

    /// Cases, in units of analysis.
    pub(super) fn n(self) -> u64 {
        match self {
            Self::Classes(p) => p.patients(),
            Self::Conditions(p) => p.patients,
            Self::Measures(p) => p.patients,
            _ => self.cases().map_or(0, |(n_pos, n_neg)| n_pos.saturating_add(n_neg)),
        }
    }

    /// Distinct patients.
    pub(super) fn patients(self) -> u64 {
        match self {
            Self::Exact(p) => p.patients.total,
            Self::Coarse { group, .. } => group.patients.total,
            Self::Detection(p) => p.patients.total,
            // Each patient is counted once.
            Self::Noisy { .. } | Self::Classes(_) | Self::Conditions(_) | Self::Measures(_) => {
                self.n()
            }
        }
    }

    /// Whether standard errors allow for repeated cases.
    pub(super) fn is_clustered(self) -> bool {
        match self {
            Self::Exact(p) => p.is_clustered(),
            Self::Detection(_) => true,
            Self::Coarse { .. }
            | Self::Noisy { .. }
            | Self::Classes(_)
            | Self::Conditions(_)
            | Self::Measures(_) => false,
        }
    }

    /// Exact sums over scores, where they were released.
    pub(super) const fn sums(self) -> Option<&'a Performance> {
        match self {
            Self::Exact(p) => Some(p),
            Self::Coarse { .. }
            | Self::Noisy { .. }
            | Self::Classes(_)
            | Self::Conditions(_)
            | Self::Measures(_)
            | Self::Detection(_) => None,
        }
    }
}

/// A cell of a table, and which of all cells of the protocol it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct CellName<'a> {
    pub(super) place: usize,
    pub(super) dimension: &'a Name,
    pub(super) category: &'a Name,
}

/// Cells stand in the protocol's order: the one is looked for at its place first.
fn find<'a, P>(
    cells: &'a [fedval_study::result::SubgroupCell<P>],
    name: CellName<'_>,
) -> Option<&'a Cell<P>> {
    let is_it = |cell: &&'a fedval_study::result::SubgroupCell<P>| {
        cell.category == *name.category && cell.dimension == *name.dimension
    };
    let at_its_place = cells.get(name.place).filter(is_it);
    at_its_place.or_else(|| cells.iter().find(is_it)).map(|cell| &cell.performance)
}

fn shown<'a, P>(cell: &'a Cell<P>, of: impl Fn(&'a P) -> Aggregates<'a>) -> Cell<Aggregates<'a>> {
    match cell {
        Cell::Released(group) => Cell::Released(of(group)),
        Cell::Suppressed => Cell::Suppressed,
    }
}

/// The noise that the terms' cost buys: one patient moves the whole and one cell of each table.
#[expect(clippy::cast_precision_loss, reason = "tables of a protocol, at most seven")]
fn sigma(plan: &StudyProtocol, terms: &Terms) -> f64 {
    let rho = f64::from(terms.noise_rho_micro.unwrap_or(1)) / 1e6;
    ((1 + plan.tables().len()) as f64 / (2.0 * rho)).sqrt()
}

/// Bins of the noisy histogram: lower and upper edge on the probability scale.
pub(super) fn bins(plan: &StudyProtocol) -> Vec<(f64, f64)> {
    let edges = edges_micro(plan);
    let mut lower = 0;
    edges
        .into_iter()
        .map(|upper| {
            let bin = (f64::from(lower) / 1e6, f64::from(upper) / 1e6);
            lower = upper;
            bin
        })
        .collect()
}
