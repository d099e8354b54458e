//! The calibration figure: one small panel a site, so that no curve hides another, and one for the pooled line.

mod pooled;

use std::fmt::Write as _;

use fedval_stats::Interval;
use fedval_stats::scale::expit;
use fedval_study::Name;

use super::figure::Figure;
use super::markup::Markup;
use super::number::{self, fixed};
use super::panels::Panels;
use super::picture::{Anchor, Drawing};
use super::ranking::Ranking;
use crate::csv::{Csv, Field};
use crate::report::{CalibrationLine, Report, Site};
pub(super) use pooled::table;

const WIDTH: f64 = 960.0;
const PANEL: f64 = 178.0;
const PANELS: Panels = Panels { columns: 4, pitch: [243.0, 262.0], first: [38.0, 40.0] };
/// Log-odds from −4.6 to 4.6 (probabilities 0.01 to 0.99) in steps of 0.2.
const STEPS: i16 = 23;

/// The figure, or that of each of several conditions; none where no site has a fitted line.
pub(super) fn figures(report: &Report, shown: &Ranking<'_>) -> Vec<Figure> {
    if report.conditions.is_empty() {
        return figure(report, shown, None).into_iter().collect();
    }
    let conditions = report.conditions.iter();
    conditions.filter_map(|condition| figure(report, shown, Some(&condition.name))).collect()
}

fn figure(report: &Report, shown: &Ranking<'_>, condition: Option<&Name>) -> Option<Figure> {
    let sites =
        shown.sites.iter().filter_map(|site| Panel::of(site, condition, report.study.level));
    let sites: Vec<Panel<'_>> = sites.collect();
    let drawn = sites.len();
    let together = pooled::line(report, condition).map(Panel::pooled);
    let panels: Vec<Panel<'_>> = sites.into_iter().chain(together).collect();
    if panels.is_empty() {
        return None;
    }
    let mut drawing = Drawing::new(WIDTH, PANELS.height(panels.len()) + 8.0);
    let mut description = String::new();
    for (index, panel) in panels.iter().enumerate() {
        panel.draw(&mut drawing, PANELS.corner(index));
        let _ = write!(description, "{}: {}. ", panel.title(), panel.numbers());
    }
    let (id, title) = match condition {
        None => ("calibration".to_owned(), "Calibration by site".to_owned()),
        Some(name) => (format!("calibration-{name}"), format!("Calibration of {name} by site")),
    };
    let title = format!("{title}: observed against predicted probability");
    Some(Figure {
        picture: drawing.finish(&id, &title, &description),
        caption: caption(report, shown, [drawn, panels.len()], condition),
        data: data(&panels),
    })
}

/// Each site's coefficients, then the points of its curve and band; the pooled line, which has no band, last.
fn data(panels: &[Panel<'_>]) -> Csv {
    let mut data = Csv::new(&[
        "site",
        "mark",
        "intercept",
        "slope",
        "predicted",
        "observed",
        "lower",
        "upper",
    ]);
    for panel in panels {
        let (site, [fit, curve]) = match panel.site {
            Some(site) => (site, ["fit", "curve"]),
            None => ("", ["pooled_fit", "pooled_curve"]),
        };
        let names = |mark| [Field::Text(site), Field::Text(mark)].into_iter();
        let numbers = panel.coefficients.map(Field::Number);
        data.row(names(fit).chain(numbers).chain((0..4).map(|_| Field::Empty)));
        for Point { x, y, band } in &panel.points {
            let ends = band.map_or([None, None], |band| band.map(Some)).map(Field::from);
            let place = [Field::Empty, Field::Empty, Field::Number(*x), Field::Number(*y)];
            data.row(names(curve).chain(place).chain(ends));
        }
    }
    data
}

fn caption(
    report: &Report,
    shown: &Ranking<'_>,
    [sites, panels]: [usize; 2],
    condition: Option<&Name>,
) -> Markup {
    let of = condition.map_or_else(String::new, |name| format!("{name}: "));
    let absent = if sites < shown.released().count() {
        " Sites without a fitted line are not drawn."
    } else {
        ""
    };
    let together = if sites < panels {
        " Pooled: the line through the mean intercept and the mean slope over all sites, each pooled for itself, so \
         that it has no band."
    } else {
        " There is no pooled line: intercept or slope could not be pooled."
    };
    Markup::text(format!(
        "{of}Logistic recalibration curve of each site (line) with its {} band, against perfect \
         calibration (dotted diagonal). These are fitted lines, not binned data: sites release two \
         coefficients and their covariance, never points of the curve. The range of scores at a \
         site is not released either, so a line may run through regions where the site has no \
         case.{absent}{together}{}",
        number::level(report.study.level),
        shown.caption()
    ))
}

/// What a site fitted, of several conditions to the score of this one.
fn line<'a>(site: &'a Site, condition: Option<&Name>) -> Option<&'a CalibrationLine> {
    let Some(name) = condition else { return site.calibration_line.value() };
    site.conditions.iter().find(|own| own.name == *name)?.calibration_line.value()
}

/// One site's curve, or the pooled line.
struct Panel<'a> {
    site: Option<&'a str>,
    /// Intercept and slope.
    coefficients: [f64; 2],
    points: Vec<Point>,
}

impl<'a> Panel<'a> {
    fn of(site: &'a Site, condition: Option<&Name>, level: f64) -> Option<Self> {
        let line = line(site, condition)?;
        let coefficients = [line.intercept, line.slope];
        Some(Self { site: Some(site.id.as_str()), coefficients, points: curve(line, level) })
    }

    /// The line of pooled coefficients.
    fn pooled(coefficients: [f64; 2]) -> Self {
        let [intercept, slope] = coefficients;
        let point =
            |logit: f64| Point { x: expit(logit), y: expit(intercept + slope * logit), band: None };
        Self { site: None, coefficients, points: logits().map(point).collect() }
    }

    fn title(&self) -> &str {
        self.site.unwrap_or("Pooled")
    }

    fn numbers(&self) -> String {
        let [intercept, slope] = self.coefficients.map(|number| fixed(number, 2));
        format!("slope {slope}, intercept {intercept}")
    }

    fn draw(&self, drawing: &mut Drawing, [left, top]: [f64; 2]) {
        let at = |x: f64, y: f64| [left + x * PANEL, top + (1.0 - y) * PANEL];
        drawing.frame("panel", [left, top], [PANEL, PANEL]);
        for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
            drawing.line("grid", at(tick, 0.0), at(tick, 1.0));
            drawing.line("grid", at(0.0, tick), at(1.0, tick));
        }
        drawing.line("reference", at(0.0, 0.0), at(1.0, 1.0));
        let band = self.points.iter().filter_map(|point| Some((point.x, point.band?)));
        let (lower, upper): (Vec<_>, Vec<_>) =
            band.map(|(x, [lower, upper])| (at(x, lower), at(x, upper))).unzip();
        if !upper.is_empty() {
            let around: Vec<_> = upper.into_iter().chain(lower.into_iter().rev()).collect();
            drawing.path("band", &around, true);
        }
        let middle: Vec<_> = self.points.iter().map(|point| at(point.x, point.y)).collect();
        drawing.path("curve", &middle, false);
        self.labels(drawing, [left, top]);
    }

    fn labels(&self, drawing: &mut Drawing, [left, top]: [f64; 2]) {
        drawing.text("panel-title", [left, top - 20.0], Anchor::Start, self.title());
        drawing.text("tick", [left, top - 6.0], Anchor::Start, &self.numbers());
        for (share, label) in [(0.0, "0"), (0.5, "0.5"), (1.0, "1")] {
            let (x, y) = (left + share * PANEL, top + (1.0 - share) * PANEL);
            drawing.text("tick", [x, top + PANEL + 15.0], Anchor::Middle, label);
            drawing.text("tick", [left - 6.0, y + 4.0], Anchor::End, label);
        }
        let under = [left + PANEL / 2.0, top + PANEL + 32.0];
        drawing.text("axis-label", under, Anchor::Middle, "predicted (x), observed (y)");
    }
}

/// One point of a recalibration curve, all in probabilities.
struct Point {
    x: f64,
    y: f64,
    /// Its limits; absent of the pooled line.
    band: Option<[f64; 2]>,
}

/// The log-odds at which curves are drawn.
fn logits() -> impl Iterator<Item = f64> {
    (-STEPS..=STEPS).map(|step| f64::from(step) / 5.0)
}

fn curve(line: &CalibrationLine, level: f64) -> Vec<Point> {
    let [[intercept_variance, covariance], [_, slope_variance]] = line.covariance;
    let point = |logit: f64| {
        let variance =
            intercept_variance + 2.0 * logit * covariance + logit * logit * slope_variance;
        let centre = line.intercept + line.slope * logit;
        // Rounding to fixed point may leave a variance a hair below zero.
        let band = Interval::wald(centre, variance.max(0.0).sqrt(), level).ok()?;
        let band = band.map_increasing(expit);
        Some(Point { x: expit(logit), y: band.estimate, band: Some([band.lower, band.upper]) })
    };
    logits().filter_map(point).collect()
}
