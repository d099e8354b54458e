//! The funnel plot: do small sites answer differently from large ones?

use fedval_stats::Interval;
use fedval_study::MetricId;

use super::axis::Axis;
use super::figure::Figure;
use super::markup::Markup;
use super::number::{self, Format};
use super::picture::{Anchor, Drawing};
use super::words;
use crate::csv::{Csv, Field};
use crate::report::{Report, Scale, Site, Synthesis};

const WIDTH: f64 = 960.0;
const PLOT: [f64; 2] = [90.0, 900.0];
const TOP: f64 = 20.0;
const BOTTOM: f64 = 280.0;
/// Sites below which a funnel says nothing.
const ENOUGH: usize = 5;
/// Standard errors from the mean to the lines that hold 95 of 100 sites.
const LINES: [f64; 2] = [-1.96, 1.96];
/// Pieces of such a line, which is curved where the metric's own scale is.
const PIECES: u8 = 20;

/// What is drawn.
struct Funnel<'a> {
    metric: &'a MetricId,
    pooled: &'a Synthesis,
    points: Vec<Point<'a>>,
    /// The standard error at the foot of the plot.
    widest: f64,
}

/// A site on the analysis scale.
struct Point<'a> {
    site: &'a Site,
    /// On the metric's own scale.
    estimate: f64,
    /// On the analysis scale.
    se: f64,
}

/// The funnel of one metric; `None` with fewer than five sites.
pub(super) fn figure(report: &Report, metric: &MetricId) -> Option<Figure> {
    let pooled = report.synthesis_of(metric)?;
    let points: Vec<Point<'_>> =
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
    let widest = points.iter().map(|point| point.se).fold(0.0, f64::max) * 1.1;
    let funnel = Funnel { metric, pooled, points, widest };
    Some(Figure {
        picture: funnel.draw().finish(&id, &title, &description),
        caption: Markup::text(caption),
        data: funnel.data(),
    })
}

/// A site with half its interval on the analysis scale, over the critical value: the error of its weight.
fn point<'a>(report: &Report, site: &'a Site, metric: &MetricId) -> Option<Point<'a>> {
    let scale = Scale::of(metric);
    let metric = site.metrics.get(metric)?.value()?;
    let [lower, upper] = *metric.ci.value()?;
    let critical = Interval::wald(0.0, 1.0, report.study.level).ok()?.upper;
    let se = (scale.forward(upper)? - scale.forward(lower)?) / 2.0 / critical;
    (se.is_finite() && se > 0.0).then_some(Point { site, estimate: metric.estimate, se })
}

impl Funnel<'_> {
    /// The line at `z` standard errors from the mean, from the tip: pairs of value and standard error.
    fn line(&self, z: f64) -> Vec<[f64; 2]> {
        let scale = Scale::of(self.metric);
        let at = |step: u8| {
            let se = self.widest * f64::from(step) / f64::from(PIECES);
            [scale.back(self.pooled.mu + z * se), se]
        };
        (0..=PIECES).map(at).collect()
    }

    /// Sites, then the corners of the three lines, each from the tip down.
    fn data(&self) -> Csv {
        let mut data = Csv::new(&["mark", "site", "estimate", "se"]);
        for Point { site, estimate, se } in &self.points {
            let numbers = [*estimate, *se].map(Field::Number);
            let names = [Field::Text("site"), Field::Text(site.id.as_str())];
            data.row(names.into_iter().chain(numbers));
        }
        let [lower, upper] = LINES.map(|z| self.line(z));
        let middle = [0.0, self.widest].map(|se| [self.pooled.estimate, se]).to_vec();
        for (mark, line) in [("pooled_mean", middle), ("lower_line", lower), ("upper_line", upper)]
        {
            for corner in line {
                let names = [Field::Text(mark), Field::Empty].into_iter();
                data.row(names.chain(corner.map(Field::Number)));
            }
        }
        data
    }

    fn draw(&self) -> Drawing {
        let across = self.axis();
        let down = |se: f64| TOP + (BOTTOM - TOP) * se / self.widest;
        let mut drawing = Drawing::new(WIDTH, BOTTOM + 48.0);
        for (x, label) in across.ticks(Format::of(self.metric)) {
            drawing.line("grid", [x, TOP], [x, BOTTOM]);
            drawing.text("tick", [x, BOTTOM + 18.0], Anchor::Middle, &label);
        }
        for share in [0.0, 0.5, 1.0] {
            let y = down(share * self.widest);
            drawing.line("grid", [PLOT[0], y], [PLOT[1], y]);
            let label = number::fixed(share * self.widest, 2);
            drawing.text("tick", [PLOT[0] - 8.0, y + 4.0], Anchor::End, &label);
        }
        let middle = across.at(self.pooled.estimate);
        drawing.line("reference", [middle, TOP], [middle, BOTTOM]);
        for z in LINES {
            let line = self.line(z).into_iter().map(|[value, se]| [across.at(value), down(se)]);
            drawing.path("funnel", &line.collect::<Vec<_>>(), false);
        }
        for point in &self.points {
            drawing.square("square", [across.at(point.estimate), down(point.se)], 8.0);
        }
        let under = [f64::midpoint(PLOT[0], PLOT[1]), BOTTOM + 40.0];
        drawing.text("axis-label", under, Anchor::Middle, &words::metric(self.metric));
        drawing.text("axis-label", [0.0, TOP - 6.0], Anchor::Start, "standard error");
        drawing
    }

    /// An axis that holds every site and the feet of both lines.
    fn axis(&self) -> Axis {
        let scale = Scale::of(self.metric);
        let mut values: Vec<f64> = self.points.iter().map(|point| point.estimate).collect();
        values.extend(LINES.map(|z| scale.back(self.pooled.mu + z * self.widest)));
        Axis::holding(&values, scale, PLOT)
    }
}
