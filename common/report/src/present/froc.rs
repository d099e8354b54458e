//! The free-response curve: one small panel a site, so that no curve hides another.

use std::fmt::Write as _;

use super::figure::Figure;
use super::markup::Markup;
use super::number::{Format, fixed};
use super::panels::Panels;
use super::picture::{Anchor, Drawing};
use super::ranking::Ranking;
use crate::csv::{Csv, Field};
use crate::report::{DetectionSection, Estimable, Report, SiteDetection};

const WIDTH: f64 = 960.0;
const PANEL: f64 = 178.0;
const PANELS: Panels = Panels { columns: 4, pitch: [243.0, 262.0], first: [42.0, 40.0] };
/// Ends of the axis of false positives a scan, which doubles from tick to tick.
const RATES: [f64; 2] = [0.0625, 16.0];
const TICKS: [(f64, &str); 4] = [(0.125, "1/8"), (0.5, "1/2"), (2.0, "2"), (8.0, "8")];

/// The figure; `None` where no site has a curve.
pub(super) fn figure(report: &Report, shown: &Ranking<'_>) -> Option<Figure> {
    let detection = report.detection.as_ref()?;
    let panels: Vec<Panel<'_>> = shown
        .released()
        .filter_map(|site| Panel::of(site.id.as_str(), site.detection.as_ref()?, detection))
        .collect();
    if panels.is_empty() {
        return None;
    }
    let mut drawing = Drawing::new(WIDTH, PANELS.height(panels.len()) + 8.0);
    let mut description = String::new();
    for (index, panel) in panels.iter().enumerate() {
        panel.draw(&mut drawing, PANELS.corner(index));
        let _ = write!(description, "{}: {} released scores. ", panel.site, panel.points.len());
    }
    let title = "Free-response ROC curve by site: lesions found against false positives a scan";
    Some(Figure {
        picture: drawing.finish("froc", title, &description),
        caption: caption(detection, shown, panels.len()),
        data: data(&panels),
    })
}

fn caption(detection: &DetectionSection, shown: &Ranking<'_>, drawn: usize) -> Markup {
    let released = shown.released().count();
    let absent =
        if drawn < released { " Sites whose false positives stayed are not drawn." } else { "" };
    Markup::text(format!(
        "Share of lesions found (upwards) by false positives a scan (doubling to the right) at each site. Squares are \
         the scores that the site released: those of {} equal bins between which many patients have findings; the \
         circle is the locked cut-off {}. Between squares nothing is known; the line is straight in false positives, \
         as values are read off it.{absent}{}",
        detection.bins,
        detection.point.name,
        shown.caption()
    ))
}

/// Each score that is drawn, from the highest down, then the values that are read off the curve.
fn data(panels: &[Panel<'_>]) -> Csv {
    let mut data =
        Csv::new(&["site", "mark", "threshold", "false_positives_per_scan", "sensitivity"]);
    for panel in panels {
        for point in &panel.points {
            let mark = if point.is_locked { "cut_off" } else { "score" };
            let numbers = [point.threshold, point.rate, point.share].map(Field::Number);
            let names = [Field::Text(panel.site), Field::Text(mark)];
            data.row(names.into_iter().chain(numbers));
        }
        for (rate, share) in &panel.read {
            let names = [Field::Text(panel.site), Field::Text("read_off"), Field::Empty];
            data.row(names.into_iter().chain([*rate, *share].map(Field::Number)));
        }
    }
    data
}

/// One score of one site.
struct Point {
    threshold: f64,
    rate: f64,
    share: f64,
    is_locked: bool,
}

/// One site's curve.
struct Panel<'a> {
    site: &'a str,
    points: Vec<Point>,
    /// Rate and share that were read off.
    read: Vec<(f64, f64)>,
}

impl<'a> Panel<'a> {
    fn of(site: &'a str, own: &SiteDetection, detection: &DetectionSection) -> Option<Self> {
        let (lesions, scans) = (own.counts.lesions, own.counts.scans);
        if own.curve.is_empty() || lesions == 0 || scans == 0 {
            return None;
        }
        let points = own.curve.iter().map(|point| Point {
            threshold: point.threshold,
            rate: number(point.false_positives) / number(scans),
            share: number(point.hits) / number(lesions),
            is_locked: point.threshold.total_cmp(&detection.point.threshold).is_eq(),
        });
        let read = own.froc.iter().filter_map(|at| match at.sensitivity {
            Estimable::Estimated(share) => Some((at.rate, share)),
            Estimable::NotEstimable { .. } => None,
        });
        Some(Self { site, points: points.collect(), read: read.collect() })
    }

    fn draw(&self, drawing: &mut Drawing, [left, top]: [f64; 2]) {
        let across = |rate: f64| left + PANEL * place(rate);
        let at = |rate: f64, share: f64| [across(rate), top + (1.0 - share) * PANEL];
        drawing.frame("panel", [left, top], [PANEL, PANEL]);
        for (rate, label) in TICKS {
            drawing.line("grid", at(rate, 0.0), at(rate, 1.0));
            drawing.text("tick", [across(rate), top + PANEL + 15.0], Anchor::Middle, label);
        }
        for share in [0.0, 0.5, 1.0] {
            let [_, y] = at(RATES[0], share);
            drawing.line("grid", at(RATES[0], share), at(RATES[1], share));
            let label = Format::Percent.value(share);
            drawing.text("tick", [left - 6.0, y + 4.0], Anchor::End, &label);
        }
        if !self.read.is_empty() {
            let line: Vec<_> = self.read.iter().map(|(rate, share)| at(*rate, *share)).collect();
            drawing.path("curve", &line, false);
        }
        for point in &self.points {
            let place = at(point.rate, point.share);
            if point.is_locked {
                drawing.circle("site-mark", place, 5.0);
            } else {
                drawing.square("square", place, 6.0);
            }
        }
        drawing.text("panel-title", [left, top - 20.0], Anchor::Start, self.site);
        let locked = self.points.iter().find(|point| point.is_locked);
        let note = locked.map_or_else(String::new, |point| {
            let share = Format::Percent.value(point.share);
            format!("cut-off: {share} at {} a scan", fixed(point.rate, 2))
        });
        drawing.text("tick", [left, top - 6.0], Anchor::Start, &note);
        let under = [left + PANEL / 2.0, top + PANEL + 32.0];
        drawing.text("axis-label", under, Anchor::Middle, "false positives a scan");
    }
}

/// Where a rate lies on the axis, 0 to 1; at its end where it lies beyond.
fn place(rate: f64) -> f64 {
    let [low, high] = RATES.map(libm::log2);
    let rate = rate.clamp(RATES[0], RATES[1]);
    (libm::log2(rate) - low) / (high - low)
}

#[expect(clippy::cast_precision_loss, reason = "counts in canonical documents are below 2^53")]
const fn number(count: u64) -> f64 {
    count as f64
}
