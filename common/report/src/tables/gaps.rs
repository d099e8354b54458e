//! Gaps between groups.

use super::{Csv, Field, reason};
use crate::report::{Estimable, Report};

pub(super) fn table(report: &Report) -> Csv {
    let mut table = Csv::new(&[
        "dimension",
        "category",
        "reference",
        "metric",
        "k",
        "gap",
        "lower",
        "upper",
        "tau2",
        "p",
        "p_holm",
        "detectable",
        "powered",
        "reason",
    ]);
    for gap in &report.gaps {
        let metric = gap.metric.to_string();
        let mut fields = vec![
            Field::Text(gap.dimension.as_str()),
            Field::Text(gap.category.as_str()),
            Field::Text(gap.reference.as_str()),
            Field::Text(&metric),
            Field::Count(gap.k),
        ];
        match &gap.result {
            Estimable::Estimated(found) => {
                let [lower, upper] = found.ci;
                let numbers = [found.estimate, lower, upper, found.tau2].map(Field::Number);
                fields.extend(numbers);
                fields.extend([
                    found.p.value().copied().into(),
                    found.p_holm.value().copied().into(),
                ]);
                let powered = if found.powered { "yes" } else { "no" };
                fields.extend([
                    Field::Number(found.detectable),
                    Field::Text(powered),
                    Field::Empty,
                ]);
            }
            Estimable::NotEstimable { .. } => {
                fields.extend((0..8).map(|_| Field::Empty));
                fields.push(reason(&gap.result));
            }
        }
        table.row(fields);
    }
    table
}
