//! Which sites are shown one by one.
//!
//! Few sites stand in order of their names. Of many, only the least favourable are shown, worst first:
//! nobody reads a thousand rows, and those at the end are the ones that matter least. All stand in the CSV
//! tables, and on further forest plots for whoever looks for one of them.

use std::collections::BTreeMap;

use fedval_study::SiteId;
use fedval_study::protocol::EndpointDirection;

use super::number;
use super::performance::released;
use crate::report::{Report, Site, SubgroupSite, Verdict};

/// Up to so many sites, each is shown.
const MOST: usize = 40;
/// Of more, so many stand in each group of a table of subgroups.
const IN_A_GROUP: usize = 5;
/// Up to so many sites, each is shown where one takes the room of a picture.
const FEW: usize = 12;

/// The sites that are shown one by one.
#[derive(Debug)]
pub(super) struct Ranking<'a> {
    report: &'a Report,
    /// So many stand before these.
    before: usize,
    /// In the order in which they are shown.
    pub(super) sites: Vec<&'a Site>,
}

impl<'a> Ranking<'a> {
    /// The sites that a report shows first, and of many sites those that it shows at all.
    pub(super) fn of(report: &'a Report) -> Self {
        let mut sites = in_order(report);
        sites.truncate(MOST);
        Self { report, before: 0, sites }
    }

    /// The sites behind them, as many together.
    pub(super) fn further(report: &'a Report) -> Vec<Self> {
        let sites = in_order(report);
        let pages = sites.chunks(MOST).enumerate().skip(1);
        let page = |(page, sites): (usize, &[&'a Site])| Self {
            report,
            before: page * MOST,
            sites: sites.to_vec(),
        };
        pages.map(page).collect()
    }

    /// Which page of sites this is, from 1.
    pub(super) const fn page(&self) -> usize {
        self.before / MOST + 1
    }

    /// The shown ones that released a result.
    pub(super) fn released(&self) -> impl Iterator<Item = &'a Site> {
        self.sites.iter().copied().filter(|site| !site.metrics.is_empty())
    }

    /// Those of a group's cells that are shown, in the order of the sites.
    pub(super) fn cells<'c>(&self, cells: &'c [SubgroupSite]) -> Vec<&'c SubgroupSite> {
        if self.is_whole() {
            return cells.iter().collect();
        }
        let places = self.sites.iter().enumerate().map(|(place, site)| (&site.id, place));
        let places: BTreeMap<&SiteId, usize> = places.collect();
        let released = cells.iter().filter(|cell| cell.performance.released().is_some());
        let shown: BTreeMap<usize, _> =
            released.filter_map(|cell| Some((*places.get(&cell.site)?, cell))).collect();
        shown.into_values().take(IN_A_GROUP).collect()
    }

    /// Whether every site is shown.
    pub(super) const fn is_whole(&self) -> bool {
        self.sites.len() == self.report.sites.len()
    }

    /// What a caption says of the sites that are not shown; empty where all are.
    pub(super) fn caption(&self) -> String {
        if self.is_whole() {
            return String::new();
        }
        let all = count(self.report.sites.len());
        if self.before > 0 {
            let (first, last) = (self.before + 1, self.before + self.sites.len());
            return format!(
                " Sites {first} to {} of {all}, from the least favourable on.",
                count(last)
            );
        }
        format!(
            " Shown are the {} least favourable of {all} sites, worst first; all stand in tables/.",
            self.sites.len(),
        )
    }

    /// The same for tables of groups.
    pub(super) fn group_caption(&self) -> String {
        if self.is_whole() {
            return String::new();
        }
        format!(
            " Of each group the {IN_A_GROUP} least favourable sites that released it are shown; all stand in \
             tables/subgroup_sites.csv."
        )
    }
}

/// Few sites by name, many from the least favourable on.
fn in_order(report: &Report) -> Vec<&Site> {
    let mut sites: Vec<&Site> = report.sites.iter().collect();
    if sites.len() > MOST {
        from_the_least_favourable(report, &mut sites);
    }
    sites
}

/// Of the sites that released a result at most [`FEW`]: all by name, or the least favourable of more, worst first.
pub(super) fn few(report: &Report) -> Vec<&Site> {
    let mut sites: Vec<&Site> = released(report).collect();
    if sites.len() > FEW {
        from_the_least_favourable(report, &mut sites);
        sites.truncate(FEW);
    }
    sites
}

/// A stable sort: equals stay in order of their names.
fn from_the_least_favourable(report: &Report, sites: &mut [&Site]) {
    sites.sort_by(|one, other| {
        let rank = |site: &Site| unfavourable(report.verdicts.first(), site);
        rank(other).total_cmp(&rank(one))
    });
}

fn count(sites: usize) -> String {
    number::count(u64::try_from(sites).unwrap_or(u64::MAX))
}

/// How unfavourable a site is to the first endpoint; one without a value comes last.
fn unfavourable(verdict: Option<&Verdict>, site: &Site) -> f64 {
    let value = verdict.and_then(|verdict| {
        let estimate = site.metrics.get(&verdict.metric)?.value()?.estimate;
        Some(match verdict.direction {
            EndpointDirection::AtLeast => -estimate,
            EndpointDirection::AtMost => estimate,
        })
    });
    value.unwrap_or(f64::NEG_INFINITY)
}
