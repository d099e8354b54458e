//! The funnel plot: do small sites answer differently from large ones?

use fedval_stats::Interval;
use fedval_study::MetricId;

use super::axis::Axis;
use super::figure::Figure;
use super::markup::Markup;
use super::number::{self, Format};
use super::picture::{Anchor, Drawing};
use super::words;
use crate::report::{Report, Scale, Site, Synthesis};

const WIDTH: f64 = 960.0;
const PLOT: [f64; 2] = [90.0, 900.0];
const TOP: f64 = 20.0;
const BOTTOM: f64 = 280.0;
/// Sites below which a funnel says nothing.
const ENOUGH: usize = 5;

/// A site on the analysis scale.
struct Point {
    /// On the metric's own scale.
    estimate: f64,
    /// On the analysis scale.
    se: f64,
}

/// The funnel of one metric; `None` with fewer than five sites.
pub(super) fn figure(report: &Report, metric: &MetricId) -> Option<Figure> {
    let pooled = report.synthesis_of(metric)?;
    let points: Vec<Point> =
        report.sites.iter().filter_map(|site| point(report, site, metric)).collect();
    if points.len() < ENOUGH {
        return None;
    }
    let name = words::metric(metric);
    let title = format!("Funnel plot of {name}: sites by their standard error");
    let description = format!(
        "{} sites around a pooled mean of {}.",
        points.len(),
        Format::of(metric).value(pooled.estimate)
    );
    let caption = format!(
        "Funnel plot of {name}: sites by the standard error on the {} scale. Without differences between sites, \
         95 of 100 would lie inside the dashed lines. Small sites to one side suggest that size and performance \
         go together. There is no publication here, so none can be missing: sites that did not release stand in \
         the table of participants.",
        words::scale(Scale::of(metric))
    );
    let id = format!("funnel-{}", metric.to_string().replace('@', "-"));
    Some(Figure {
        picture: draw(metric, pooled, &points).finish(&id, &title, &description),
        caption: Markup::text(caption),
    })
}

/// A site with half its interval on the analysis scale, over the critical value: the error of its weight.
fn point(report: &Report, site: &Site, metric: &MetricId) -> Option<Point> {
    let scale = Scale::of(metric);
    let metric = site.metrics.get(metric)?.value()?;
    let [lower, upper] = *metric.ci.value()?;
    let critical = Interval::wald(0.0, 1.0, report.study.level).ok()?.upper;
    let se = (scale.forward(upper)? - scale.forward(lower)?) / 2.0 / critical;
    (se.is_finite() && se > 0.0).then_some(Point { estimate: metric.estimate, se })
}

fn draw(metric: &MetricId, pooled: &Synthesis, points: &[Point]) -> Drawing {
    let scale = Scale::of(metric);
    let widest = points.iter().map(|point| point.se).fold(0.0, f64::max) * 1.1;
    let mut values: Vec<f64> = points.iter().map(|point| point.estimate).collect();
    values.extend([-1.96, 1.96].map(|z| scale.back(pooled.mu + z * widest)));
    let across = Axis::holding(&values, scale, PLOT);
    let down = |se: f64| TOP + (BOTTOM - TOP) * se / widest;
    let mut drawing = Drawing::new(WIDTH, BOTTOM + 48.0);
    for (x, label) in across.ticks(Format::of(metric)) {
        drawing.line("grid", [x, TOP], [x, BOTTOM]);
        drawing.text("tick", [x, BOTTOM + 18.0], Anchor::Middle, &label);
    }
    for share in [0.0, 0.5, 1.0] {
        let y = down(share * widest);
        drawing.line("grid", [PLOT[0], y], [PLOT[1], y]);
        let label = number::fixed(share * widest, 2);
        drawing.text("tick", [PLOT[0] - 8.0, y + 4.0], Anchor::End, &label);
    }
    let middle = across.at(pooled.estimate);
    drawing.line("reference", [middle, TOP], [middle, BOTTOM]);
    for z in [-1.96, 1.96] {
        let at = |step: u8| {
            let se = widest * f64::from(step) / 20.0;
            [across.at(scale.back(pooled.mu + z * se)), down(se)]
        };
        drawing.path("funnel", &(0..=20).map(at).collect::<Vec<_>>(), false);
    }
    for point in points {
        drawing.square("square", [across.at(point.estimate), down(point.se)], 8.0);
    }
    let under = [f64::midpoint(PLOT[0], PLOT[1]), BOTTOM + 40.0];
    drawing.text("axis-label", under, Anchor::Middle, &words::metric(metric));
    drawing.text("axis-label", [0.0, TOP - 6.0], Anchor::Start, "standard error");
    drawing
}
