//! Tables of findings with a place: what was found at the cut-off, along the curve, and by group.

use fedval_study::{MetricId, Name};

use super::markup::Markup;
use super::number::{self, Format, count};
use super::over_sites;
use super::performance::pooled_of;
use super::ranking::Ranking;
use super::table::{Notes, Row, Table};
use crate::report::{
    DetectionGroup, DetectionSection, Disclosed, Estimable, Report, Subgroup, SubgroupSite,
};

/// The metric that the study is about.
pub(super) fn main_metric(detection: &DetectionSection) -> MetricId {
    MetricId::LesionSensitivity(detection.point.name.clone())
}

/// What is shown of each site.
pub(super) fn metrics(detection: &DetectionSection) -> Vec<MetricId> {
    let name = &detection.point.name;
    vec![
        main_metric(detection),
        MetricId::FalsePositivesPerScan(name.clone()),
        MetricId::AveragePrecision,
        MetricId::Cpm,
    ]
}

/// Counts at the cut-off and the share found at each rate; none of another study.
pub(super) fn tables(report: &Report, shown: &Ranking<'_>) -> Vec<Table> {
    let Some(detection) = &report.detection else { return Vec::new() };
    vec![counts(detection, shown), rates(report, shown)]
}

fn counts(detection: &DetectionSection, shown: &Ranking<'_>) -> Table {
    let rule = match detection.least_iou {
        None => "a finding counts as a lesion found where it lies within its radius".to_owned(),
        Some(least) => format!(
            "a finding counts as a lesion found where its box overlaps the lesion's by {least} of their union"
        ),
    };
    let caption = format!(
        "Findings at the locked cut-off {} (score at least {}): {rule}. Of each scan the {} findings with \
         the highest scores count, of each patient the first {} lesions.{}",
        detection.point.name,
        detection.point.threshold,
        detection.most_candidates,
        detection.most_lesions,
        shown.caption()
    );
    let mut table = Table::new(
        Markup::text(caption),
        &[
            ("Site", "text"),
            ("Patients with lesions", "number"),
            ("Lesions found / lesions", "number"),
            ("False positives / scans", "number"),
        ],
    );
    for site in shown.released() {
        let Some(own) = &site.detection else { continue };
        let [found, others] = pairs(&own.counts);
        let cells = vec![Markup::text(count(own.patients_with_lesions)), found, others];
        table.rows.push(Row::new(Markup::text(site.id.as_str()), cells));
    }
    table
}

/// Lesions found of all, and false positives in scans.
fn pairs(counts: &DetectionGroup) -> [Markup; 2] {
    let of = |part: u64, whole: u64| Markup::text(format!("{} / {}", count(part), count(whole)));
    let others = match counts.false_positives {
        Disclosed::Released(others) => of(others, counts.scans),
        Disclosed::Withheld { .. } => Markup::text(format!("withheld / {}", count(counts.scans))),
    };
    [of(counts.hits, counts.lesions), others]
}

fn rates(report: &Report, shown: &Ranking<'_>) -> Table {
    let over = over_sites::sentence(report, &MetricId::Cpm);
    let over = if over.is_empty() {
        over
    } else {
        format!(" The mean of a site's shares is its CPM; {over}.")
    };
    let caption = format!(
        "Share of lesions found at so many false positives a scan, read off each site\'s curve: straight between \
         scores that were released, and beyond the last one as at it. Where few scores were released this \
         understates what the model finds. These shares have no released error.{over}{}",
        shown.caption()
    );
    let sites: Vec<_> =
        shown.released().filter_map(|site| Some((site, site.detection.as_ref()?))).collect();
    let labels: Vec<String> = sites
        .first()
        .map(|(_, own)| own.froc.iter().map(|at| at.rate.to_string()).collect())
        .unwrap_or_default();
    let columns = std::iter::once(("Site", "text"));
    let columns: Vec<_> =
        columns.chain(labels.iter().map(|label| (label.as_str(), "number"))).collect();
    let mut table = Table::new(Markup::text(caption), &columns);
    let mut notes = Notes::default();
    for (site, own) in sites {
        let cells = own.froc.iter().map(|at| match at.sensitivity {
            Estimable::Estimated(share) => Markup::text(Format::Percent.value(share)),
            Estimable::NotEstimable { not_estimable } => Markup::trusted(notes.dash(not_estimable)),
        });
        let cells = cells.collect();
        table.rows.push(Row::new(Markup::text(site.id.as_str()), cells));
    }
    table.notes = notes.lines();
    table
}

/// One table for each dimension: sensitivity and counts at each site, and pooled.
pub(super) fn subgroups(
    report: &Report,
    detection: &DetectionSection,
    shown: &Ranking<'_>,
) -> Vec<Table> {
    let mut dimensions: Vec<&Name> = Vec::new();
    for group in &report.subgroups {
        if !dimensions.contains(&&group.dimension) {
            dimensions.push(&group.dimension);
        }
    }
    let id = main_metric(detection);
    dimensions.into_iter().map(|dimension| of_dimension(report, &id, shown, dimension)).collect()
}

fn of_dimension(report: &Report, id: &MetricId, shown: &Ranking<'_>, dimension: &Name) -> Table {
    let level = number::level(report.study.level);
    let caption = format!(
        "Findings by {dimension}: counts at each site, lesion sensitivity pooled with the {level} confidence \
         interval, not adjusted for multiplicity. False positives of groups stay where two patients have nearly \
         all of some group\'s.{}",
        shown.group_caption()
    );
    let mut table = Table::new(
        Markup::text(caption),
        &[
            ("Site", "text"),
            ("Patients", "number"),
            ("Lesions found / lesions", "number"),
            ("False positives / scans", "number"),
            ("Lesion sensitivity", "number"),
        ],
    );
    let mut notes = Notes::default();
    for group in report.subgroups.iter().filter(|group| group.dimension == *dimension) {
        table.rows.push(Row::group(Markup::text(format!("{dimension}: {}", group.category))));
        table.rows.extend(shown.cells(&group.sites).into_iter().map(site_row));
        table.rows.push(pooled_row(&mut notes, id, group));
    }
    table.notes = notes.lines();
    table
}

fn site_row(cell: &SubgroupSite) -> Row {
    let head = Markup::text(cell.site.as_str());
    let found = cell.performance.released().and_then(|group| Some((group, group.detection?)));
    let Some((group, counts)) = found else {
        return Row::new(head, vec![Markup::text("withheld"); 4]).styled("muted");
    };
    let [found, others] = pairs(&counts);
    #[expect(clippy::cast_precision_loss, reason = "a share of lesions, shown to three digits")]
    let share = counts.hits as f64 / counts.lesions.max(1) as f64;
    let share = Markup::text(Format::Percent.value(share));
    Row::new(head, vec![Markup::text(count(group.patients)), found, others, share])
}

fn pooled_row(notes: &mut Notes, id: &MetricId, group: &Subgroup) -> Row {
    let mut cells = vec![Markup::default(); 3];
    cells.push(pooled_of(notes, &group.synthesis, id));
    Row::new(Markup::text("Pooled"), cells).styled("pooled")
}
