//! What was withheld.

use super::{Csv, Field};
use crate::report::{Report, WithheldWhat};

pub(super) fn table(report: &Report) -> Csv {
    let mut table = Csv::new(&["site", "what", "dimension", "category", "code"]);
    for item in &report.disclosure.withheld {
        let of_group;
        let (what, dimension, category) = match &item.what {
            WithheldWhat::WholeSite => ("whole_site", "", ""),
            WithheldWhat::GroupCondition { category, condition, dimension } => {
                of_group = format!("condition@{condition}");
                (of_group.as_str(), dimension.as_str(), category.as_str())
            }
            WithheldWhat::Subgroup { dimension, category } => {
                ("subgroup", dimension.as_str(), category.as_str())
            }
            WithheldWhat::FalsePositives => ("false_positives", "", ""),
            WithheldWhat::GroupFalsePositives => ("group_false_positives", "", ""),
            WithheldWhat::Condition { condition } => ("condition", condition.as_str(), ""),
            WithheldWhat::Attrition { reason } => ("attrition", reason.as_str(), ""),
        };
        let site = item.site.as_str();
        let code = item.code.as_str();
        table.row([site, what, dimension, category, code].map(Field::Text));
    }
    table
}
