//! Groups of patients of whom a quantity was measured.

use fedval_study::{MetricId, Name};

use super::markup::Markup;
use super::number::{self, Format, count};
use super::ranking::Ranking;
use super::table::{Notes, Row, Table};
use super::words;
use crate::report::{Disclosed, Report, Subgroup, SubgroupSite};

/// The metrics with a forest plot, whatever endpoints ask.
pub(super) const PLOTTED: [MetricId; 2] = [MetricId::MeanAbsoluteError, MetricId::MeanError];

/// Errors by group, at each site and pooled.
pub(super) fn by_group(
    report: &Report,
    shown: &Ranking<'_>,
    dimension: &Name,
    groups: &[&Subgroup],
) -> Table {
    let level = number::level(report.study.level);
    let caption = format!(
        "Errors by {dimension}: estimate ({level} confidence interval), not adjusted for multiplicity.{}",
        shown.group_caption()
    );
    let labels = PLOTTED.map(|id| words::metric_with_unit(report, &id));
    let mut columns = vec![("Site", "text"), ("Patients", "number")];
    columns.extend(labels.iter().map(|label| (label.as_str(), "number")));
    let mut table = Table::new(Markup::text(caption), &columns);
    let mut notes = Notes::default();
    for group in groups {
        table.rows.push(Row::group(Markup::text(format!("{dimension}: {}", group.category))));
        let cells = shown.cells(&group.sites);
        table.rows.extend(cells.into_iter().map(|cell| site_row(&mut notes, cell)));
        table.rows.push(pooled_row(&mut notes, group));
    }
    table.notes = notes.lines();
    table
}

fn site_row(notes: &mut Notes, cell: &SubgroupSite) -> Row {
    let head = Markup::text(cell.site.as_str());
    let Disclosed::Released(group) = &cell.performance else {
        let withheld = vec![Markup::text("withheld"); 1 + PLOTTED.len()];
        return Row::new(head, withheld).styled("muted");
    };
    let mut cells = vec![Markup::text(count(group.patients))];
    cells.extend(PLOTTED.iter().map(|id| notes.metric(Format::of(id), group.metrics.get(id))));
    Row::new(head, cells)
}

fn pooled_row(notes: &mut Notes, group: &Subgroup) -> Row {
    let mut cells = vec![Markup::default()];
    cells.extend(
        PLOTTED.iter().map(|id| super::performance::pooled_of(notes, &group.synthesis, id)),
    );
    Row::new(Markup::text("Pooled"), cells).styled("pooled")
}
