//! Exact counts behind safe denominators: `standard`.

use fedval_study::result::{AttritionCount, SubgroupCell};
use fedval_study::{Cell, Performance, Release, Terms};

use super::{Visible, VisibleTable};

/// The release.
pub(crate) fn release(
    terms: Terms,
    attrition: Vec<AttritionCount>,
    whole: &Visible<'_>,
    tables: &[VisibleTable<'_>],
) -> Release {
    Release {
        terms,
        attrition,
        overall: whole.performance.clone(),
        subgroups: tables
            .iter()
            .flat_map(|table| cells(table, |v| v.performance.clone()))
            .collect(),
    }
}

/// The cells of a table, each shown one through `of`.
fn cells<'t>(
    table: &'t VisibleTable<'_>,
    of: impl Fn(&Visible<'_>) -> Performance + 't,
) -> impl Iterator<Item = SubgroupCell> + 't {
    table.cells.iter().enumerate().filter_map(move |(index, cell)| {
        Some(SubgroupCell {
            dimension: table.summary.dimension.clone(),
            category: table.listed(index)?.category.clone()?,
            performance: match cell {
                Cell::Released(visible) => Cell::Released(of(visible)),
                Cell::Suppressed => Cell::Suppressed,
            },
        })
    })
}
