//! Masks: who has an empty one, and how they were measured.

use fedval_study::MetricId;
use fedval_study::empty_masks::WithoutStructure;
use fedval_study::protocol::Border;

use super::markup::Markup;
use super::number::{self, count, share};
use super::ranking::Ranking;
use super::table::{Row, Table};
use crate::report::{Report, SegmentationSection, Site};

/// The metrics with a forest plot, whatever endpoints ask.
pub(super) const PLOTTED: [MetricId; 3] =
    [MetricId::DiceMissesZero, MetricId::Dice, MetricId::Hd95];

/// Patients by which of their masks hold the structure: most means are silent about the others.
pub(super) fn table(report: &Report, shown: &Ranking<'_>) -> Option<Table> {
    let section = report.segmentation.as_ref()?;
    let caption = format!(
        "Patients by which of their masks hold the structure. Only those with both are measured. Missed: share of the \
         patients who have it. Where fewer than k patients of a site are without the structure, they are withheld.{}",
        shown.caption()
    );
    let columns = [
        ("Site", "text"),
        ("Both", "number"),
        ("Missed", "number"),
        ("Seen where there is none", "number"),
        ("None, and none seen", "number"),
    ];
    let mut table = Table::new(Markup::text(caption), &columns);
    table.rows = shown.released().map(row).collect();
    let all = [
        count(section.measured),
        missed(section.missed, section.measured_beside_missed),
        count(section.spurious),
        count(section.neither),
    ];
    let all = all.into_iter().map(Markup::text).collect();
    table.rows.push(Row::new(Markup::text("All that was released"), all).styled("pooled"));
    Some(table)
}

fn row(site: &Site) -> Row {
    let both = site.patients.value().copied().unwrap_or(0);
    let withheld = || "withheld".to_owned();
    let without = site.empty_masks.and_then(|of| of.without_structure);
    let of =
        |pick: fn(WithoutStructure) -> u64| without.map_or_else(withheld, |of| count(pick(of)));
    let cells = [
        count(both),
        site.empty_masks.map_or_else(withheld, |of| missed(of.missed, both)),
        of(|of| of.spurious),
        of(|of| of.neither),
    ];
    Row::new(Markup::text(site.id.as_str()), cells.into_iter().map(Markup::text).collect())
}

/// With its share of those who have the structure.
fn missed(missed: u64, both: u64) -> String {
    format!("{} ({})", count(missed), share(missed, missed.saturating_add(both)))
}

/// How often the structure was missed, for people; nothing where no site tells it.
pub(super) fn sentence(report: &Report) -> String {
    let Some(section) = &report.segmentation else { return String::new() };
    let all = section.missed.saturating_add(section.measured_beside_missed);
    if all == 0 {
        return String::new();
    }
    format!(
        " In {} of {} patients who have it ({}) the model outlined nothing; in the Dice that says so they count 0, \
         and they are in no other mean.",
        count(section.missed),
        count(all),
        share(section.missed, all)
    )
}

/// How masks were measured.
pub(super) fn remark(section: &SegmentationSection) -> String {
    let border = match section.border {
        Border::VoxelBorder => {
            "voxels with a neighbour across a face that is not in the mask, each counting once"
        }
        Border::Surfel => "pieces of surface between voxels, each counting by its area",
    };
    format!(
        "Surfaces are {border}. Normalised surface Dice counts distances up to {} mm; HD95 is the larger of both \
         directions, and a patient\u{2019}s beyond {} mm counts as that. Patients with an empty mask have no measure and \
         are counted by kind; in the Dice that says so, a structure that was missed counts 0. Sites round means so \
         coarsely that one patient moves them by a step at most; intervals allow for it.",
        number::fixed(section.tolerance_mm, 2),
        number::fixed(section.hd95_bound_mm, 1),
    )
}
