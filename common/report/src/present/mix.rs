//! Who the patients are: their mix by the categories of each dimension, at each site.

use std::collections::BTreeMap;

use fedval_study::SiteId;

use super::markup::Markup;
use super::number::{count, share};
use super::performance::released;
use super::ranking;
use super::table::{Row, Table};
use crate::report::{Disclosed, Report, Site, Subgroup, SubgroupSite};

/// Categories side by side: more do not fit a page.
const MOST: usize = 5;

/// Patients of a group among all patients of the same sites.
type Part = (u64, u64);

/// One table for each dimension, or several where it has many categories; none where no site released results.
pub(super) fn tables(report: &Report) -> Vec<Table> {
    let sites = Sites::of(report);
    if sites.patients.is_empty() {
        return Vec::new();
    }
    let dimensions = report.subgroups.chunk_by(|one, other| one.dimension == other.dimension);
    dimensions.flat_map(|groups| groups.chunks(MOST)).map(|groups| sites.table(groups)).collect()
}

/// Sites that released results.
struct Sites<'r> {
    /// Patients of each.
    patients: BTreeMap<&'r SiteId, u64>,
    /// Those with a row.
    shown: Vec<&'r Site>,
}

impl<'r> Sites<'r> {
    fn of(report: &'r Report) -> Self {
        let patients =
            released(report).filter_map(|site| Some((&site.id, *site.patients.value()?)));
        Self { patients: patients.collect(), shown: ranking::few(report) }
    }

    /// Categories of one dimension.
    fn table(&self, groups: &[Subgroup]) -> Table {
        let columns = [("Site", "text"), ("Patients", "number")];
        let categories = groups.iter().map(|group| (group.category.as_str(), "number"));
        let columns: Vec<_> = columns.into_iter().chain(categories).collect();
        let mut table = Table::new(self.caption(groups), &columns);
        table.rows = self.shown.iter().map(|site| self.of_site(site, groups)).collect();
        let parts: Vec<Vec<Part>> = groups.iter().map(|group| self.parts(group)).collect();
        table.rows.push(self.of_all(&parts));
        if self.patients.len() > 1 {
            table.rows.push(ends(&parts));
        }
        table
    }

    fn caption(&self, groups: &[Subgroup]) -> Markup {
        let dimension = groups.first().map_or("", |group| group.dimension.as_str());
        let all = self.patients.len();
        let more = if self.shown.len() < all {
            format!(
                " Shown are the {} least favourable of {all} sites, worst first; all stand in \
                 tables/subgroup_sites.csv, and in the last two rows.",
                self.shown.len()
            )
        } else {
            String::new()
        };
        Markup::text(format!(
            "Mix of patients by {dimension} at each site (share of its patients). A patient without a value, or with \
             one that the protocol does not list, is in no group; one with images of several groups is in each: \
             shares need not add up to 100%. All: over the sites that released the group.{more}"
        ))
    }

    fn of_site(&self, site: &Site, groups: &[Subgroup]) -> Row {
        let whole = self.patients.get(&site.id);
        let cell = |group: &Subgroup| {
            let own = group.sites.iter().find(|own| own.site == site.id);
            match (own.map(|own| &own.performance), whole) {
                (Some(Disclosed::Released(of)), Some(whole)) => with_share((of.patients, *whole)),
                (Some(Disclosed::Withheld { .. }), _) => "withheld".to_owned(),
                (None, _) | (_, None) => "—".to_owned(),
            }
        };
        let patients = whole.map_or_else(|| "—".to_owned(), |whole| count(*whole));
        let cells = std::iter::once(patients).chain(groups.iter().map(cell));
        Row::new(Markup::text(site.id.as_str()), cells.map(Markup::text).collect())
    }

    /// What each site that released the group has of it.
    fn parts(&self, group: &Subgroup) -> Vec<Part> {
        let part = |own: &SubgroupSite| {
            Some((own.performance.released()?.patients, *self.patients.get(&own.site)?))
        };
        group.sites.iter().filter_map(part).collect()
    }

    fn of_all(&self, parts: &[Vec<Part>]) -> Row {
        let sum = |parts: &Vec<Part>| {
            let (part, whole) = parts.iter().fold((0, 0), |(part, whole): Part, of| {
                (part.saturating_add(of.0), whole.saturating_add(of.1))
            });
            if parts.is_empty() { "withheld".to_owned() } else { with_share((part, whole)) }
        };
        let all = self.patients.values().fold(0, |sum: u64, of| sum.saturating_add(*of));
        let cells = std::iter::once(count(all)).chain(parts.iter().map(sum));
        Row::new(Markup::text("All"), cells.map(Markup::text).collect()).styled("pooled")
    }
}

/// The least and the largest share that a site has of each group.
fn ends(parts: &[Vec<Part>]) -> Row {
    // In 10⁻⁶, so that no rounding decides which is the larger.
    let size = |(part, whole): &&Part| u128::from(*part) * 1_000_000 / u128::from((*whole).max(1));
    let range = |parts: &Vec<Part>| {
        let (least, largest) = (parts.iter().min_by_key(size), parts.iter().max_by_key(size));
        least.zip(largest).map_or_else(
            || "withheld".to_owned(),
            |(least, largest)| {
                format!("{} to {}", share(least.0, least.1), share(largest.0, largest.1))
            },
        )
    };
    let cells = std::iter::once(String::new()).chain(parts.iter().map(range));
    Row::new(Markup::text("Least to largest share"), cells.map(Markup::text).collect())
}

fn with_share((part, whole): Part) -> String {
    format!("{} ({})", count(part), share(part, whole))
}
