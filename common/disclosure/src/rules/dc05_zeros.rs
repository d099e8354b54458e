//! DC-05: everybody of a group answered alike.
//!
//! Where `zeros_withheld` is in force, an exact 0 or 100 % stays: it tells the answer of every single
//! member. Where counts are rounded, 0 stands for 0 to 2. Under `standard` it may be shown: the answer
//! is the model's, not the patient's, and hiding it would bias every good model downwards.
//!
//! A cell that is empty by structure hides nobody: no scanner of that maker stands in the house. It
//! has nothing to show, but needs no partner either. Only the site can say so, in its signed policy. If a
//! protocol could, whoever asks would learn of any cell whether it is empty.
//!
//! Source: ACRO 1.0.2 `zeros_are_disclosive`; EU SDC Handbook (2024), group disclosure.

use std::collections::{BTreeMap, BTreeSet};

use fedval_study::Terms;
use fedval_study::protocol::{
    AttributeSource, Dimension, Grouping, StudyProtocol, Table, TableKind,
};

/// Values that nobody at a site has together: for each attribute, a manifest column or a DICOM
/// keyword, its values.
pub type Absent = BTreeMap<String, Vec<String>>;

/// Cells that are empty by structure: table and cell.
pub type StructuralZeros = BTreeSet<(usize, usize)>;

/// The cells of a protocol's tables that what a site says of itself leaves empty.
#[must_use]
pub fn structural(protocol: &StudyProtocol, absent: &[Absent]) -> StructuralZeros {
    let tables = protocol.tables();
    let cells = tables
        .iter()
        .enumerate()
        .flat_map(|(table, shape)| (0..shape.categories.len()).map(move |cell| (table, cell)));
    let is_empty = |(table, cell): &(usize, usize)| {
        let defined = conditions(protocol, &tables[*table], *cell);
        absent.iter().any(|absent| !absent.is_empty() && covers(absent, &defined))
    };
    cells.filter(is_empty).collect()
}

/// The dimensions that define a cell, with the category of each.
fn conditions<'p>(
    protocol: &'p StudyProtocol,
    table: &Table,
    cell: usize,
) -> Vec<(&'p Dimension, usize)> {
    let dimension = |place: usize| &protocol.subgroups[place];
    match table.kind {
        TableKind::OneWay(place) => vec![(dimension(place), cell)],
        TableKind::Crossing { rows, columns } => {
            let of = dimension(columns).category_names().len();
            vec![(dimension(rows), cell / of), (dimension(columns), cell % of)]
        }
    }
}

/// Whether everybody in the cell would have all that nobody has.
fn covers(absent: &Absent, cell: &[(&Dimension, usize)]) -> bool {
    absent.iter().all(|(attribute, missing)| {
        cell.iter().any(|(dimension, category)| {
            let (AttributeSource::Column(name) | AttributeSource::Dicom(name)) = &dimension.source;
            let Grouping::Categories(categories) = &dimension.grouping else { return false };
            name == attribute && categories[*category].values.iter().all(|v| missing.contains(v))
        })
    })
}

/// Whether the two response counts of one label say that everybody answered alike, and may not.
#[must_use]
pub const fn discloses_a_class(right: u64, wrong: u64, terms: &Terms) -> bool {
    terms.zeros_withheld && (right == 0 || wrong == 0)
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::Profile;

    use super::*;
    use crate::profiles::terms;

    #[test]
    fn a_class_that_answered_alike_stays_where_zeros_are_disclosive() {
        let (acro, standard) = (terms(Profile::Acro), terms(Profile::Standard));
        assert!(discloses_a_class(15, 0, &acro) && discloses_a_class(0, 15, &acro));
        assert!(!discloses_a_class(15, 0, &standard));
        assert!(!discloses_a_class(14, 12, &acro));
    }
}
