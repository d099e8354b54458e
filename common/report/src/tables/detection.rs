//! Findings by score, site by site.

use super::{Csv, Field};
use crate::report::{DetectionSection, Report};

pub(super) fn table(report: &Report, detection: &DetectionSection) -> Csv {
    let mut table = Csv::new(&[
        "site",
        "operating_point",
        "threshold",
        "hits",
        "lesions",
        "false_positives",
        "scans",
    ]);
    for site in &report.sites {
        let Some(own) = &site.detection else { continue };
        for point in &own.curve {
            let is_locked = point.threshold.total_cmp(&detection.point.threshold).is_eq();
            table.row([
                Field::Text(site.id.as_str()),
                Field::Text(if is_locked { detection.point.name.as_str() } else { "" }),
                Field::Number(point.threshold),
                Field::Count(point.hits),
                Field::Count(own.counts.lesions),
                Field::Count(point.false_positives),
                Field::Count(own.counts.scans),
            ]);
        }
    }
    table
}
