//! Each of several conditions in each group at each site.

use fedval_study::{ConditionMetric, MetricId};

use super::{Csv, Field, group_cells, limits, reason};
use crate::report::{
    ConditionSummary, Disclosed, Estimable, GroupCondition, Report, ResponseCounts,
    SubgroupPerformance,
};

const FIXED: [&str; 11] = [
    "dimension",
    "category",
    "site",
    "patients",
    "condition",
    "with_condition",
    "without_condition",
    "missing",
    "auroc",
    "auroc_lower",
    "auroc_upper",
];

/// One row for each condition of each site of each group; four counts for each operating point, empty where it is the
/// cut-off of another condition.
pub(super) fn table(report: &Report) -> Csv {
    group_cells::table(report, &FIXED, &group_cells::counts(report), |group, row| {
        for (own, condition) in group.conditions.iter().zip(&report.conditions) {
            row(fields(report, group, own, condition));
        }
    })
}

fn fields<'a>(
    report: &'a Report,
    group: &'a SubgroupPerformance,
    own: &'a GroupCondition,
    condition: &ConditionSummary,
) -> Vec<Field<'a>> {
    let count = |count: &Disclosed<u64>| Field::from(count.released().copied());
    let mut fields = vec![
        Field::Count(group.patients),
        Field::Text(own.name.as_str()),
        count(&own.n_pos),
        count(&own.n_neg),
        count(&own.missing),
    ];
    let id = MetricId::OfCondition(ConditionMetric::Auroc, own.name.clone());
    let area = group.metrics.get(&id);
    let why = match area {
        Some(Estimable::Estimated(found)) => {
            fields.push(Field::Number(found.estimate));
            fields.extend(limits(&found.ci));
            reason(&found.ci)
        }
        missing => {
            fields.extend((0..3).map(|_| Field::Empty));
            missing.map_or(Field::Empty, reason)
        }
    };
    for (point, of) in report.study.operating_points.iter().zip(&group.response) {
        let is_own = condition.operating_points.contains(&point.name);
        let ResponseCounts { tp, fn_, fp, tn } = of;
        let counts = [tp, fn_, fp, tn];
        fields.extend(counts.map(|of| if is_own { count(of) } else { Field::Empty }));
    }
    fields.push(why);
    fields
}
