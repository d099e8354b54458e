//! Performance by subgroup, with a dot and an interval beside each number.

use fedval_study::{ConditionMetric, MetricId, Name};

use super::axis::Axis;
use super::forest::limits;
use super::marks::interval;
use super::markup::Markup;
use super::measured;
use super::number::{self, Format, count};
use super::performance::{both, pooled_of};
use super::picture::{Anchor, Drawing};
use super::ranking::Ranking;
use super::table::{Notes, Row, Table};
use super::words;
use crate::report::{
    ConditionSummary, Disclosed, Estimable, Metric, OperatingPointLimit, Reason, Report, Scale,
    Subgroup, SubgroupAuroc, SubgroupPerformance, SubgroupSite, Synthesis,
};

/// Ends of the small plots inside their drawing.
const PLOT: [f64; 2] = [16.0, 184.0];
const WIDTH: f64 = 200.0;
/// Operating points side by side in one table: more do not fit a page.
const POINTS_A_TABLE: usize = 2;

/// The tables of every dimension, in the protocol's order.
pub(super) fn tables(report: &Report, shown: &Ranking<'_>) -> Vec<Table> {
    if let Some(detection) = &report.detection {
        return super::detection::subgroups(report, detection, shown);
    }
    let mut dimensions: Vec<&Name> = Vec::new();
    for group in &report.subgroups {
        if !dimensions.contains(&&group.dimension) {
            dimensions.push(&group.dimension);
        }
    }
    dimensions.into_iter().flat_map(|dimension| of_dimension(report, shown, dimension)).collect()
}

fn of_dimension(report: &Report, shown: &Ranking<'_>, dimension: &Name) -> Vec<Table> {
    let groups: Vec<&Subgroup> =
        report.subgroups.iter().filter(|group| group.dimension == *dimension).collect();
    if report.quantity.is_some() {
        return vec![measured::by_group(report, shown, dimension, &groups)];
    }
    let mut tables: Vec<Table> = Area::all(report)
        .iter()
        .map(|area| discrimination((report, shown), area, dimension, &groups))
        .collect();
    let points: Vec<_> = report.study.operating_points.iter().enumerate().collect();
    let chunks = points.chunks(POINTS_A_TABLE);
    tables.extend(chunks.map(|points| response((report, shown), dimension, &groups, points)));
    tables
}

/// The area that a table is about: the one of a study of one condition, or that of one of several.
struct Area<'r> {
    id: MetricId,
    condition: Option<&'r Name>,
}

impl<'r> Area<'r> {
    fn all(report: &'r Report) -> Vec<Self> {
        if report.conditions.is_empty() {
            return vec![Self { id: MetricId::Auroc, condition: None }];
        }
        let of = |condition: &'r ConditionSummary| {
            let name = &condition.name;
            let id = MetricId::OfCondition(ConditionMetric::Auroc, name.clone());
            Self { id, condition: Some(name) }
        };
        report.conditions.iter().map(of).collect()
    }

    /// The name of the area, and of its condition where there are several.
    fn title(&self) -> String {
        self.condition.map_or_else(|| "AUROC".to_owned(), |name| format!("AUROC of {name}"))
    }

    /// What a group says of it; `None` of other tasks.
    fn of(&self, group: &SubgroupPerformance) -> Option<Estimable<SubgroupAuroc>> {
        if self.condition.is_none() {
            return group.auroc;
        }
        Some(match group.metrics.get(&self.id)? {
            Estimable::Estimated(Metric { estimate, ci, .. }) => {
                Estimable::Estimated(SubgroupAuroc { ci: *ci, estimate: *estimate })
            }
            Estimable::NotEstimable { not_estimable } => Estimable::not(*not_estimable),
        })
    }

    /// Who has the condition, of whom.
    fn counts(&self, group: &SubgroupPerformance) -> String {
        let Some(name) = self.condition else {
            return format!("{} / {}", count(group.n_pos.unwrap_or(0)), count(group.n));
        };
        let own = group.conditions.iter().find(|own| own.name == *name);
        let both = own.and_then(|own| Some((own.n_pos.released()?, own.n_neg.released()?)));
        both.map_or_else(
            || "withheld".to_owned(),
            |(with, without)| {
                format!("{} / {}", count(*with), count(with.saturating_add(*without)))
            },
        )
    }

    fn pooled<'g>(&self, group: &'g Subgroup) -> Option<&'g Synthesis> {
        group.synthesis.get(&self.id).and_then(Estimable::value)
    }
}

fn discrimination(
    (report, shown): (&Report, &Ranking<'_>),
    area: &Area<'_>,
    dimension: &Name,
    groups: &[&Subgroup],
) -> Table {
    let level = number::level(report.study.level);
    let caption = format!(
        "{} by {dimension}: estimate ({level} confidence interval), not adjusted for multiplicity.{}",
        area.title(),
        shown.group_caption()
    );
    let axis = axis(report, area, groups);
    let limits: Vec<f64> = limits(report, &area.id).into_iter().map(|(limit, _)| limit).collect();
    let plot = Plot { axis: &axis, limits: &limits };
    let mut table = Table::new(
        Markup::text(caption),
        &[
            ("Site", "text"),
            ("Patients", "number"),
            ("With condition / cases", "number"),
            ("AUROC", "number"),
            ("", "plot"),
        ],
    );
    if let Some(column) = table.columns.last_mut() {
        column.label = plot.scale();
    }
    let mut notes = Notes::default();
    for group in groups {
        table.rows.push(Row::group(Markup::text(format!("{dimension}: {}", group.category))));
        for cell in shown.cells(&group.sites) {
            table.rows.push(site_row(area, &plot, &mut notes, cell));
        }
        table.rows.push(pooled_row(area, &plot, &mut notes, group));
    }
    table.notes = notes.lines();
    table
}

/// One axis for the whole table, so that dots can be compared down the column.
fn axis(report: &Report, area: &Area<'_>, groups: &[&Subgroup]) -> Axis {
    let mut values: Vec<f64> = limits(report, &area.id).iter().map(|(limit, _)| *limit).collect();
    for group in groups {
        let cells = group.sites.iter();
        for found in cells.filter_map(|cell| area.of(cell.performance.released()?)) {
            if let Estimable::Estimated(found) = found {
                values.push(found.estimate);
                values.extend(found.ci.value().into_iter().flatten());
            }
        }
        values.extend(area.pooled(group).and_then(|p| p.ci.value()).into_iter().flatten());
    }
    Axis::holding(&values, Scale::Logit, PLOT)
}

/// The small plots of a table: their axis, and the limits of the protocol on it.
struct Plot<'a> {
    axis: &'a Axis,
    limits: &'a [f64],
}

impl Plot<'_> {
    /// The axis as the plot column's heading.
    fn scale(&self) -> Markup {
        let mut drawing = Drawing::new(WIDTH, 18.0);
        let ticks = self.axis.ticks(Format::Fixed(3));
        for (index, (x, label)) in ticks.iter().enumerate() {
            drawing.line("axis", [*x, 14.0], [*x, 18.0]);
            // Every label but the first and last may be too much for the column.
            if index == 0 || index + 1 == ticks.len() || ticks.len() < 5 {
                drawing.text("tick", [*x, 11.0], Anchor::Middle, label);
            }
        }
        for limit in self.limits {
            drawing.line("limit", [self.axis.at(*limit), 13.0], [self.axis.at(*limit), 18.0]);
        }
        drawing.finish_inline("axis of the small plots below")
    }

    fn dot(&self, estimate: f64, ci: &Estimable<[f64; 2]>, class: &str) -> Markup {
        let mut drawing = Drawing::new(WIDTH, 18.0);
        for limit in self.limits {
            drawing.line("limit", [self.axis.at(*limit), 0.0], [self.axis.at(*limit), 18.0]);
        }
        if let Some(ci) = ci.value() {
            interval(&mut drawing, self.axis, *ci, 9.0);
        }
        drawing.circle(class, [self.axis.at(estimate), 9.0], 4.0);
        drawing.finish_inline(&format!("AUROC {}", Format::Fixed(3).value(estimate)))
    }
}

fn site_row(area: &Area<'_>, plot: &Plot<'_>, notes: &mut Notes, cell: &SubgroupSite) -> Row {
    let head = Markup::text(cell.site.as_str());
    let Disclosed::Released(group) = &cell.performance else {
        let withheld = Markup::text("withheld");
        let cells = vec![withheld.clone(), withheld.clone(), withheld, Markup::default()];
        return Row::new(head, cells).styled("muted");
    };
    let (value, dot) = match area.of(group) {
        Some(Estimable::Estimated(found)) => (
            notes.with_limits(Format::Fixed(3), found.estimate, &found.ci),
            plot.dot(found.estimate, &found.ci, "square"),
        ),
        Some(Estimable::NotEstimable { not_estimable }) => {
            (notes.dash(not_estimable), Markup::default())
        }
        None => (notes.dash(Reason::NotDefinedForTask), Markup::default()),
    };
    let cells = vec![
        Markup::text(count(group.patients)),
        Markup::text(area.counts(group)),
        Markup::trusted(value),
        dot,
    ];
    Row::new(head, cells)
}

fn pooled_row(area: &Area<'_>, plot: &Plot<'_>, notes: &mut Notes, group: &Subgroup) -> Row {
    let (value, dot) = match group.synthesis.get(&area.id) {
        Some(Estimable::Estimated(pooled)) => (
            Markup::trusted(notes.with_limits(Format::Fixed(3), pooled.estimate, &pooled.ci)),
            plot.dot(pooled.estimate, &pooled.ci, "diamond"),
        ),
        Some(Estimable::NotEstimable { not_estimable }) => {
            (Markup::trusted(notes.dash(*not_estimable)), Markup::default())
        }
        None => Default::default(),
    };
    let k = area.pooled(group).map(|pooled| format!("Pooled, k = {}", pooled.k));
    let head = Markup::text(k.unwrap_or_else(|| "Pooled".to_owned()));
    Row::new(head, vec![Markup::default(), Markup::default(), value, dot]).styled("pooled")
}

fn response(
    (report, shown): (&Report, &Ranking<'_>),
    dimension: &Name,
    groups: &[&Subgroup],
    points: &[(usize, &OperatingPointLimit)],
) -> Table {
    let level = number::level(report.study.level);
    let caption = format!(
        "Sensitivity and specificity by {dimension}: at each site with its counts, pooled with the \
         {level} confidence interval, not adjusted for multiplicity.{}",
        shown.group_caption()
    );
    let ids: Vec<MetricId> = points.iter().flat_map(|(_, point)| both(&point.name)).collect();
    let places: Vec<usize> = points.iter().map(|(place, _)| *place).collect();
    let labels: Vec<String> = ids.iter().map(words::metric).collect();
    let mut columns = vec![("Site", "text")];
    columns.extend(labels.iter().map(|label| (label.as_str(), "number")));
    let mut table = Table::new(Markup::text(caption), &columns);
    let mut notes = Notes::default();
    for group in groups {
        table.rows.push(Row::group(Markup::text(format!("{dimension}: {}", group.category))));
        for cell in shown.cells(&group.sites) {
            table.rows.push(response_row(&mut notes, &places, cell));
        }
        let cells = ids.iter().map(|id| pooled_of(&mut notes, &group.synthesis, id)).collect();
        table.rows.push(Row::new(Markup::text("Pooled"), cells).styled("pooled"));
    }
    table.notes = notes.lines();
    table
}

/// Shares with their counts, at the operating points in these places of the study.
fn response_row(notes: &mut Notes, places: &[usize], cell: &SubgroupSite) -> Row {
    let head = Markup::text(cell.site.as_str());
    let Disclosed::Released(group) = &cell.performance else {
        return Row::new(head, vec![Markup::text("withheld"); 2 * places.len()]).styled("muted");
    };
    let counts = places.iter().filter_map(|place| group.response.get(*place));
    let shares = counts.flat_map(|of| [(of.tp, of.fn_), (of.tn, of.fp)]);
    Row::new(head, shares.map(|(right, wrong)| share(notes, right, wrong)).collect())
}

fn share(notes: &mut Notes, right: Disclosed<u64>, wrong: Disclosed<u64>) -> Markup {
    let (Disclosed::Released(right), Disclosed::Released(wrong)) = (right, wrong) else {
        return Markup::text("withheld");
    };
    let cases = right.saturating_add(wrong);
    if cases == 0 {
        return Markup::trusted(notes.dash(Reason::EmptyInput));
    }
    #[expect(clippy::cast_precision_loss, reason = "a share of cases, shown to three digits")]
    let value = Format::Percent.value(right as f64 / cases as f64);
    let counts = format!("({}/{})", count(right), count(cases));
    Markup::trusted(format!("{value} <span class=\"ci\">{counts}</span>"))
}
