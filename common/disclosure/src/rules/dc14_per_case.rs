//! DC-14: nothing about a single case or patient, ever.
//!
//! The result's type has no field for a score, rank, id, hash, date or path. This rule is the last
//! look at the finished value: whatever earlier rules decided, no table that is shown may rest on
//! fewer than k patients of either label.
//!
//! Source: OpenSAFELY output checking ("nothing about five or fewer people").

use fedval_study::Release;

use super::dc03_identifying_cells::is_safe;

/// Whether every table of a finished release rests on enough patients.
#[must_use]
pub fn rests_on_groups(release: &Release, k: u64) -> bool {
    is_safe(release.overall.patients, k)
        && release
            .subgroups
            .iter()
            .filter_map(|cell| cell.performance.released())
            .all(|performance| is_safe(performance.patients, k))
}
