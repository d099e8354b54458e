//! The numbers that the plot draws.

use fedval_study::protocol::EndpointDirection;

use super::Forest;
use crate::csv::{self, Csv, Field};
use crate::present::axis::Axis;
use crate::report::{Estimable, Site};

impl Forest<'_> {
    /// Sites in their order, the pooled rows, and the lines across. An acceptance limit is the end of an
    /// interval that is open on the accepted side.
    pub(super) fn data(&self, axis: &Axis) -> Csv {
        let (_, [part, whole]) = self.cases_names();
        let mut data = Csv::new(&[
            "mark", "site", part, whole, "k", "estimate", "lower", "upper", "weight", "reason",
        ]);
        for site in &self.shown.sites {
            data.row(self.site_fields(site));
        }
        if let Some(pooled) = self.pooled {
            let (ci, prediction) = (&pooled.ci, &pooled.prediction_interval);
            let (k, mean) = (Field::Count(pooled.k), Field::Number(pooled.estimate));
            data.row(across("pooled_mean", k, mean, csv::limits(ci), csv::reason(ci)));
            let (ends, reason) = (csv::limits(prediction), csv::reason(prediction));
            data.row(across("prediction_interval", Field::Empty, Field::Empty, ends, reason));
        }
        for (limit, direction) in &self.limits {
            let ends = match direction {
                EndpointDirection::AtLeast => [Field::Number(*limit), Field::Empty],
                EndpointDirection::AtMost => [Field::Empty, Field::Number(*limit)],
            };
            data.row(across("acceptance_limit", Field::Empty, Field::Empty, ends, Field::Empty));
        }
        if let Some(value) = self.reference(axis) {
            let (value, nothing) = (Field::Number(value), [Field::Empty, Field::Empty]);
            data.row(across("reference", Field::Empty, value, nothing, Field::Empty));
        }
        data
    }

    fn site_fields<'a>(&'a self, site: &'a Site) -> [Field<'a>; 10] {
        let metric = site.metrics.get(self.metric).and_then(Estimable::value);
        let [lower, upper] =
            metric.map_or([Field::Empty, Field::Empty], |metric| csv::limits(&metric.ci));
        let weight = metric.and(self.weight(site));
        let (part, whole) = self.cases(site).unzip();
        [
            Field::Text("site"),
            Field::Text(site.id.as_str()),
            part.into(),
            whole.into(),
            Field::Empty,
            metric.map(|metric| metric.estimate).into(),
            lower,
            upper,
            weight.and_then(|weight| weight.value().copied()).into(),
            self.why(site),
        ]
    }

    /// Why the first missing number of a site's row is not there.
    fn why(&self, site: &Site) -> Field<'static> {
        let metric = match site.metrics.get(self.metric) {
            None => return Field::Text(site.status.as_str()),
            Some(Estimable::NotEstimable { not_estimable }) => return Some(*not_estimable).into(),
            Some(Estimable::Estimated(metric)) => metric,
        };
        let left_out = || {
            let excluded = &self.pooled?.excluded;
            excluded.iter().find(|excluded| excluded.site == site.id).map(|site| site.reason)
        };
        let weight = || self.weight(site).map_or_else(left_out, |weight| weight.reason());
        metric.ci.reason().or_else(weight).into()
    }
}

/// A row of the data that is of no single site.
fn across(
    mark: &'static str,
    k: Field<'static>,
    estimate: Field<'static>,
    [lower, upper]: [Field<'static>; 2],
    reason: Field<'static>,
) -> [Field<'static>; 10] {
    let nothing = || Field::Empty;
    let (site, part, whole, weight) = (nothing(), nothing(), nothing(), nothing());
    [Field::Text(mark), site, part, whole, k, estimate, lower, upper, weight, reason]
}
