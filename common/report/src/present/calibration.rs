//! The calibration figure: one small panel a site, so that no curve hides another.

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
    let panels: Vec<Panel<'_>> = shown
        .sites
        .iter()
        .filter_map(|site| Panel::of(site, condition, report.study.level))
        .collect();
    if panels.is_empty() {
        return None;
    }
    let mut drawing = Drawing::new(WIDTH, PANELS.height(panels.len()) + 8.0);
    let mut description = String::new();
    for (index, panel) in panels.iter().enumerate() {
        panel.draw(&mut drawing, PANELS.corner(index));
        let Panel { site, line, .. } = panel;
        let (intercept, slope) = (fixed(line.intercept, 2), fixed(line.slope, 2));
        let _ = write!(description, "{site}: intercept {intercept}, slope {slope}. ");
    }
    let (id, title) = match condition {
        None => ("calibration".to_owned(), "Calibration by site".to_owned()),
        Some(name) => (format!("calibration-{name}"), format!("Calibration of {name} by site")),
    };
    let title = format!("{title}: observed against predicted probability");
    Some(Figure {
        picture: drawing.finish(&id, &title, &description),
        caption: caption(report, shown, panels.len(), condition),
        data: data(&panels),
    })
}

/// Each site's coefficients, then the points of its curve and band.
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
    for Panel { site, line, points } in panels {
        let fit = [line.intercept, line.slope].map(Field::Number).into_iter();
        let names = |mark| [Field::Text(site), Field::Text(mark)].into_iter();
        data.row(names("fit").chain(fit).chain((0..4).map(|_| Field::Empty)));
        for Point { x, y, lower, upper } in points {
            let numbers = [*x, *y, *lower, *upper].map(Field::Number);
            data.row(names("curve").chain([Field::Empty, Field::Empty]).chain(numbers));
        }
    }
    data
}

fn caption(report: &Report, shown: &Ranking<'_>, drawn: usize, condition: Option<&Name>) -> Markup {
    let of = condition.map_or_else(String::new, |name| format!("{name}: "));
    let released = shown.released().count();
    let absent = if drawn < released { " Sites without a fitted line are not drawn." } else { "" };
    Markup::text(format!(
        "{of}Logistic recalibration curve of each site (line) with its {} band, against perfect \
         calibration (dotted diagonal). These are fitted lines, not binned data: sites release two \
         coefficients and their covariance, never points of the curve. The range of scores at a \
         site is not released either, so a line may run through regions where the site has no \
         case.{absent}{}",
        number::level(report.study.level),
        shown.caption()
    ))
}

/// What a site fitted, of several conditions to the score of this one.
fn line<'a>(site: &'a Site, condition: Option<&Name>) -> Option<&'a CalibrationLine> {
    let Some(name) = condition else { return site.calibration_line.value() };
    site.conditions.iter().find(|own| own.name == *name)?.calibration_line.value()
}

/// One site's curve.
struct Panel<'a> {
    site: &'a str,
    line: &'a CalibrationLine,
    points: Vec<Point>,
}

impl<'a> Panel<'a> {
    fn of(site: &'a Site, condition: Option<&Name>, level: f64) -> Option<Self> {
        let line = line(site, condition)?;
        Some(Self { site: site.id.as_str(), line, points: curve(line, level) })
    }

    fn draw(&self, drawing: &mut Drawing, [left, top]: [f64; 2]) {
        let at = |x: f64, y: f64| [left + x * PANEL, top + (1.0 - y) * PANEL];
        drawing.frame("panel", [left, top], [PANEL, PANEL]);
        for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
            drawing.line("grid", at(tick, 0.0), at(tick, 1.0));
            drawing.line("grid", at(0.0, tick), at(1.0, tick));
        }
        drawing.line("reference", at(0.0, 0.0), at(1.0, 1.0));
        let upper = self.points.iter().map(|point| at(point.x, point.upper));
        let lower = self.points.iter().rev().map(|point| at(point.x, point.lower));
        drawing.path("band", &upper.chain(lower).collect::<Vec<_>>(), true);
        let middle: Vec<_> = self.points.iter().map(|point| at(point.x, point.y)).collect();
        drawing.path("curve", &middle, false);
        labels(drawing, [left, top], self.site, self.line);
    }
}

fn labels(drawing: &mut Drawing, [left, top]: [f64; 2], site: &str, line: &CalibrationLine) {
    drawing.text("panel-title", [left, top - 20.0], Anchor::Start, site);
    let numbers = format!("slope {}, intercept {}", fixed(line.slope, 2), fixed(line.intercept, 2));
    drawing.text("tick", [left, top - 6.0], Anchor::Start, &numbers);
    for (share, label) in [(0.0, "0"), (0.5, "0.5"), (1.0, "1")] {
        let (x, y) = (left + share * PANEL, top + (1.0 - share) * PANEL);
        drawing.text("tick", [x, top + PANEL + 15.0], Anchor::Middle, label);
        drawing.text("tick", [left - 6.0, y + 4.0], Anchor::End, label);
    }
    let under = [left + PANEL / 2.0, top + PANEL + 32.0];
    drawing.text("axis-label", under, Anchor::Middle, "predicted (x), observed (y)");
}

/// One point of a recalibration curve, all in probabilities.
struct Point {
    x: f64,
    y: f64,
    lower: f64,
    upper: f64,
}

fn curve(line: &CalibrationLine, level: f64) -> Vec<Point> {
    let [[intercept_variance, covariance], [_, slope_variance]] = line.covariance;
    (-STEPS..=STEPS)
        .filter_map(|step| {
            let logit = f64::from(step) / 5.0;
            let variance =
                intercept_variance + 2.0 * logit * covariance + logit * logit * slope_variance;
            let centre = line.intercept + line.slope * logit;
            // Rounding to fixed point may leave a variance a hair below zero.
            let band = Interval::wald(centre, variance.max(0.0).sqrt(), level).ok()?;
            let band = band.map_increasing(expit);
            Some(Point { x: expit(logit), y: band.estimate, lower: band.lower, upper: band.upper })
        })
        .collect()
}
