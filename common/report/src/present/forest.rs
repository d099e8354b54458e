//! The forest plot: every site, the pooled mean, and where a new site is expected.

mod counts;
mod data;

use fedval_study::MetricId;
use fedval_study::protocol::EndpointDirection;

use super::axis::Axis;
use super::figure::Figure;
use super::legend;
use super::marks::{arrows, interval};
use super::markup::Markup;
use super::number::{self, Format};
use super::picture::{Anchor, Drawing, Picture};
use super::ranking::Ranking;
use super::words;
use crate::report::{Estimable, Metric, Report, Scale, Site, Synthesis};

const WIDTH: f64 = 960.0;
const PLOT: [f64; 2] = [292.0, 668.0];
/// Right end of the column of cases.
const CASES: f64 = 262.0;
/// Left end of the column of estimates.
const ESTIMATES: f64 = 690.0;
/// Height of the heading, above which limits are labelled, one below the other.
const HEAD: f64 = 24.0;
const NOT_ESTIMABLE: &str = "not estimable";
const LABEL: f64 = 15.0;
const ROW: f64 = 26.0;
/// Share of the sites' span by which a prediction interval may widen an unbounded axis.
const WIDENING: f64 = 0.75;

/// The plot of one metric; `None` where no site released a value.
pub(super) fn figure(report: &Report, shown: &Ranking<'_>, metric: &MetricId) -> Option<Figure> {
    let has_value = |site: &Site| site.metrics.get(metric).is_some_and(|m| m.value().is_some());
    if !report.sites.iter().any(has_value) {
        return None;
    }
    let forest = Forest {
        report,
        shown,
        metric,
        format: Format::of(metric),
        pooled: report.synthesis_of(metric),
        limits: limits(report, metric),
    };
    let caption = legend::caption(report, metric, !forest.limits.is_empty()) + &shown.caption();
    let axis = forest.axis();
    Some(Figure {
        picture: forest.draw(&axis),
        caption: Markup::text(caption),
        data: forest.data(&axis),
    })
}

/// Plots of the sites behind the first page, of the metric by which sites are ranked.
pub(super) fn further(report: &Report) -> Vec<Figure> {
    let Some(ranked) = report.verdicts.first() else { return Vec::new() };
    let pages = Ranking::further(report);
    pages.iter().filter_map(|page| figure(report, page, &ranked.metric)).collect()
}

/// The acceptance limits on a metric, each once.
pub(super) fn limits(report: &Report, metric: &MetricId) -> Vec<(f64, EndpointDirection)> {
    let mut limits: Vec<(f64, EndpointDirection)> = Vec::new();
    for verdict in report.verdicts.iter().filter(|verdict| verdict.metric == *metric) {
        if !limits.iter().any(|(known, _)| known.total_cmp(&verdict.limit).is_eq()) {
            limits.push((verdict.limit, verdict.direction));
        }
    }
    limits
}

struct Forest<'a> {
    report: &'a Report,
    shown: &'a Ranking<'a>,
    metric: &'a MetricId,
    format: Format,
    pooled: Option<&'a Synthesis>,
    limits: Vec<(f64, EndpointDirection)>,
}

impl Forest<'_> {
    fn draw(&self, axis: &Axis) -> Picture {
        let top = HEAD + 14.0 + self.limits.iter().map(|_| LABEL).sum::<f64>();
        let rows = self.shown.sites.iter().map(|_| ROW).sum::<f64>();
        let pooled_rows = if self.pooled.is_some() { 2.0 * ROW + 10.0 } else { 0.0 };
        let bottom = top + rows + pooled_rows;
        let mut drawing = Drawing::new(WIDTH, bottom + 42.0);
        self.draw_head(&mut drawing);
        self.draw_axis(&mut drawing, axis, [top - 6.0, bottom]);
        self.draw_limits(&mut drawing, axis, bottom);
        let mut y = top + ROW / 2.0;
        for site in &self.shown.sites {
            self.draw_site(&mut drawing, axis, site, y);
            y += ROW;
        }
        if let Some(pooled) = self.pooled {
            drawing.line("rule", [0.0, y - ROW / 2.0 + 5.0], [WIDTH, y - ROW / 2.0 + 5.0]);
            self.draw_pooled(&mut drawing, axis, pooled, y + 10.0);
        }
        let name = words::metric(self.metric);
        let (mut id, mut title) = (
            format!("forest-{}", self.metric.to_string().replace('@', "-")),
            format!("Forest plot of {name} by site"),
        );
        if self.shown.page() > 1 {
            id = format!("{id}-page-{}", self.shown.page());
            title = format!("{title}, page {}", self.shown.page());
        }
        drawing.finish(&id, &title, &legend::description(self.report, self.shown, self.metric))
    }

    /// An axis that holds every interval; a prediction interval of an unbounded metric may be cut.
    fn axis(&self) -> Axis {
        let mut values: Vec<f64> = self.limits.iter().map(|(limit, _)| *limit).collect();
        let metrics =
            self.shown.sites.iter().filter_map(|site| site.metrics.get(self.metric)?.value());
        for metric in metrics {
            values.push(metric.estimate);
            values.extend(metric.ci.value().into_iter().flatten());
        }
        let pooled = self.pooled;
        values.extend(pooled.into_iter().filter_map(|p| p.ci.value()).flatten());
        values.extend(pooled.map(|pooled| pooled.estimate));
        let prediction = pooled.and_then(|pooled| pooled.prediction_interval.value());
        if let Some([lower, upper]) = prediction {
            let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |ends, v| {
                (ends.0.min(*v), ends.1.max(*v))
            });
            let room = WIDENING * (high - low);
            let bounded = Scale::of(self.metric) == Scale::Logit;
            values.push(if bounded { *lower } else { lower.max(low - room) });
            values.push(if bounded { *upper } else { upper.min(high + room) });
        }
        Axis::holding(&values, Scale::of(self.metric), PLOT)
    }

    fn draw_head(&self, drawing: &mut Drawing) {
        let level = number::level(self.report.study.level);
        let heading = format!("Estimate ({level} CI)");
        drawing.text("head", [0.0, 14.0], Anchor::Start, "Site");
        drawing.text("head", [CASES, 14.0], Anchor::End, self.cases_names().0);
        drawing.text("head", [ESTIMATES, 14.0], Anchor::Start, &heading);
        drawing.text("head", [WIDTH, 14.0], Anchor::End, "Weight");
        drawing.line("rule", [0.0, HEAD], [WIDTH, HEAD]);
    }

    fn draw_axis(&self, drawing: &mut Drawing, axis: &Axis, [top, bottom]: [f64; 2]) {
        let [left, right] = axis.ends();
        for (x, label) in axis.ticks(self.format) {
            drawing.line("grid", [x, top], [x, bottom]);
            drawing.line("axis", [x, bottom], [x, bottom + 4.0]);
            drawing.text("tick", [x, bottom + 18.0], Anchor::Middle, &label);
        }
        drawing.line("axis", [left, bottom], [right, bottom]);
        if let Some(value) = self.reference(axis) {
            drawing.line("reference", [axis.at(value), top], [axis.at(value), bottom]);
        }
        let under = [f64::midpoint(left, right), bottom + 36.0];
        drawing.text(
            "axis-label",
            under,
            Anchor::Middle,
            &words::metric_with_unit(self.report, self.metric),
        );
    }

    /// Each limit has a line of its own for its label, so that close limits stay legible.
    fn draw_limits(&self, drawing: &mut Drawing, axis: &Axis, bottom: f64) {
        let mut y = HEAD + LABEL;
        for (limit, direction) in &self.limits {
            let x = axis.at(*limit);
            let (sign, value) = (sign(*direction), number::limit(self.metric, *limit));
            drawing.line("limit", [x, y + 4.0], [x, bottom]);
            let text = format!("limit {sign} {value}");
            drawing.text("limit-label", [x, y], Anchor::Middle, &text);
            y += LABEL;
        }
    }

    /// The value of a worthless or a perfect model, where the axis holds it.
    fn reference(&self, axis: &Axis) -> Option<f64> {
        words::reference(self.metric).map(|(value, _)| value).filter(|value| axis.holds(*value))
    }

    fn draw_site(&self, drawing: &mut Drawing, axis: &Axis, site: &Site, y: f64) {
        let baseline = y + 4.5;
        let metric = site.metrics.get(self.metric);
        let class = if metric.is_some() { "site" } else { "site muted" };
        drawing.text(class, [0.0, baseline], Anchor::Start, site.id.as_str());
        if let Some((part, whole)) = self.cases(site) {
            let cases = if self.is_of_patients() {
                number::count(part)
            } else {
                format!("{} / {}", number::count(part), number::count(whole))
            };
            drawing.text("number", [CASES, baseline], Anchor::End, &cases);
        }
        match metric {
            Some(Estimable::Estimated(metric)) => {
                self.draw_estimate(drawing, axis, site, metric, y);
            }
            // Beside the plot, whose lines would cross it; why stands in the tables.
            Some(Estimable::NotEstimable { .. }) => {
                drawing.text("muted", [ESTIMATES, baseline], Anchor::Start, NOT_ESTIMABLE);
            }
            None => {
                let text = site.status.as_str();
                drawing.text("muted", [ESTIMATES, baseline], Anchor::Start, text);
            }
        }
    }

    fn draw_estimate(
        &self,
        drawing: &mut Drawing,
        axis: &Axis,
        site: &Site,
        metric: &Metric,
        y: f64,
    ) {
        if let Some(ci) = metric.ci.value() {
            interval(drawing, axis, *ci, y);
        }
        drawing.square("square", [axis.at(metric.estimate), y], self.side(site));
        let text = match metric.ci.value() {
            Some(ci) => {
                format!("{} ({})", self.format.value(metric.estimate), self.format.bare_limits(*ci))
            }
            None => self.format.value(metric.estimate),
        };
        drawing.text("number", [ESTIMATES, y + 4.5], Anchor::Start, &text);
        let weight = match self.weight(site) {
            Some(Estimable::Estimated(weight)) => format!("{}%", number::fixed(weight * 100.0, 1)),
            Some(Estimable::NotEstimable { .. }) => "–".to_owned(),
            None if self.pooled.is_some() => "left out".to_owned(),
            None => String::new(),
        };
        drawing.text("number", [WIDTH, y + 4.5], Anchor::End, &weight);
    }

    fn draw_pooled(&self, drawing: &mut Drawing, axis: &Axis, pooled: &Synthesis, y: f64) {
        let label = format!("Pooled mean, k = {}", pooled.k);
        drawing.text("pooled-label", [0.0, y + 4.5], Anchor::Start, &label);
        if let Some([lower, upper]) = pooled.ci.value() {
            let (left, right) = (axis.at(*lower), axis.at(*upper));
            let middle = axis.at(pooled.estimate);
            let diamond = [[left, y], [middle, y - 7.0], [right, y], [middle, y + 7.0]];
            drawing.path("diamond", &diamond, true);
            let limits = self.format.bare_limits([*lower, *upper]);
            let text = format!("{} ({limits})", self.format.value(pooled.estimate));
            drawing.text("number strong", [ESTIMATES, y + 4.5], Anchor::Start, &text);
        }
        let y = y + ROW;
        drawing.text("pooled-label", [0.0, y + 4.5], Anchor::Start, "Expected in a new hospital");
        match &pooled.prediction_interval {
            Estimable::Estimated(ends) => {
                let [lower, upper] = *ends;
                let (left, right) = (axis.at(lower), axis.at(upper));
                drawing.line("prediction", [left, y], [right, y]);
                arrows(drawing, "prediction-arrow", axis, *ends, y);
                drawing.text(
                    "number",
                    [ESTIMATES, y + 4.5],
                    Anchor::Start,
                    &self.format.limits(*ends),
                );
            }
            Estimable::NotEstimable { .. } => {
                drawing.text("muted", [ESTIMATES, y + 4.5], Anchor::Start, NOT_ESTIMABLE);
            }
        }
    }

    fn weight(&self, site: &Site) -> Option<Estimable<f64>> {
        let weights = &self.pooled?.weights;
        weights.iter().find(|weight| weight.site == site.id).map(|weight| weight.weight)
    }

    /// Side of a square whose area is the site's weight; all alike where there are no weights.
    fn side(&self, site: &Site) -> f64 {
        match self.weight(site) {
            Some(Estimable::Estimated(weight)) => 5.0 + 14.0 * weight.clamp(0.0, 1.0).sqrt(),
            _ => 9.0,
        }
    }
}

const fn sign(direction: EndpointDirection) -> &'static str {
    match direction {
        EndpointDirection::AtLeast => "≥",
        EndpointDirection::AtMost => "≤",
    }
}
