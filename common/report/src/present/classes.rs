//! Tables of several classes: who was of which, and how they were called.

use fedval_study::{MetricId, Name};

use super::markup::Markup;
use super::number::{self, count, share};
use super::ranking::Ranking;
use super::table::{Notes, Row, Table};
use crate::report::{ClassSection, Report};

/// Classes by site, performance by class, and all sites' calls; none of a binary study.
pub(super) fn tables(report: &Report, shown: &Ranking<'_>) -> Vec<Table> {
    let Some(classes) = &report.classes else { return Vec::new() };
    vec![sizes(classes, shown), by_class(report, classes, shown), calls(classes)]
}

/// The metric that tells of all classes at once.
pub(super) const fn main_metric(classes: &ClassSection) -> MetricId {
    if classes.ordered { MetricId::QuadraticKappa } else { MetricId::MacroAuroc }
}

fn sizes(classes: &ClassSection, shown: &Ranking<'_>) -> Table {
    let caption = format!(
        "Patients of each class of the reference standard, by site (share of the site's patients).{}",
        shown.caption()
    );
    let columns = std::iter::once(("Site", "text"));
    let columns: Vec<_> =
        columns.chain(classes.names.iter().map(|name| (name.as_str(), "number"))).collect();
    let mut table = Table::new(Markup::text(caption), &columns);
    for site in shown.released() {
        let Some(own) = &site.classes else { continue };
        table.rows.push(Row::new(Markup::text(site.id.as_str()), with_shares(&own.sizes())));
    }
    let sums: Vec<u64> = classes.confusion.iter().map(|row| row.iter().sum()).collect();
    table.rows.push(Row::new(Markup::text("All"), with_shares(&sums)).styled("pooled"));
    table
}

fn with_shares(sizes: &[u64]) -> Vec<Markup> {
    let all = sizes.iter().sum();
    let cell = |size: &u64| Markup::text(format!("{} ({})", count(*size), share(*size, all)));
    sizes.iter().map(cell).collect()
}

/// Sensitivity, specificity and, where classes have no order, the area of each class at each site.
fn by_class(report: &Report, classes: &ClassSection, shown: &Ranking<'_>) -> Table {
    let level = number::level(report.study.level);
    let caption = format!(
        "Each class against all others: estimate ({level} confidence interval). Pooled: random-effects mean.{}",
        shown.caption()
    );
    let mut columns =
        vec![("Class and site", "text"), ("Sensitivity", "number"), ("Specificity", "number")];
    if !classes.ordered {
        columns.push(("AUROC", "number"));
    }
    let mut table = Table::new(Markup::text(caption), &columns);
    let mut notes = Notes::default();
    for class in &classes.names {
        table.rows.push(Row::group(Markup::text(class.as_str())));
        let ids = metrics(class, classes.ordered);
        table.rows.extend(super::performance::rows(&mut notes, report, shown, &ids));
    }
    table.notes = notes.lines();
    table
}

fn metrics(class: &Name, is_ordered: bool) -> Vec<MetricId> {
    let mut ids =
        vec![MetricId::ClassSensitivity(class.clone()), MetricId::ClassSpecificity(class.clone())];
    if !is_ordered {
        ids.push(MetricId::ClassAuroc(class.clone()));
    }
    ids
}

fn calls(classes: &ClassSection) -> Table {
    let caption = format!(
        "How patients were called, added up over {} that released their tables: rows are classes of the reference \
         standard, columns calls of the index test (share of the row).",
        super::words::plural(classes.sites, "site")
    );
    let heads: Vec<String> = classes.names.iter().map(|name| format!("Called {name}")).collect();
    let columns = std::iter::once(("Reference standard", "text"));
    let columns: Vec<_> =
        columns.chain(heads.iter().map(|head| (head.as_str(), "number"))).collect();
    let mut table = Table::new(Markup::text(caption), &columns);
    for (name, row) in classes.names.iter().zip(&classes.confusion) {
        table.rows.push(Row::new(Markup::text(name.as_str()), with_shares(row)));
    }
    table
}
