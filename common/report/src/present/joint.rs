//! Operating points across sites: sensitivity and specificity together, and what a call means.

use std::fmt::Write as _;

use fedval_stats::scale::expit;

use super::figure::Figure;
use super::markup::Markup;
use super::number::{self, Format, fixed};
use super::panels::Panels;
use super::performance::released;
use super::picture::{Anchor, Drawing};
use super::table::{Notes, Row, Table};
use crate::csv::{Csv, Field};
use crate::report::{
    Estimable, JointSynthesis, OperatingPointRow, OperatingPointSummary, PrevalenceSource, Report,
    Site, WithLimits,
};

const WIDTH: f64 = 960.0;
const PANEL: f64 = 240.0;
const PANELS: Panels = Panels { columns: 3, pitch: [325.0, 330.0], first: [46.0, 40.0] };
/// Corners of an ellipse.
const CORNERS: u32 = 72;
/// Radius of the 95 % region of two normal numbers: √χ²₂(0.95).
const RADIUS: f64 = 2.447_746_830_680_816;

/// Mean accuracy of each operating point, both rates together.
pub(super) fn accuracy(report: &Report) -> Table {
    let level = number::level(report.study.level);
    let caption = format!(
        "Operating points across sites: sensitivity and specificity synthesised together by the bivariate \
         model (Reitsma 2005), with {level} confidence intervals. Likelihood ratios follow from the two \
         means; the correlation is that of sensitivity and false-positive rate over sites, on the logit scale."
    );
    let mut table = Table::new(
        Markup::text(caption),
        &[
            ("Operating point", "text"),
            ("k", "number"),
            ("Sensitivity", "number"),
            ("Specificity", "number"),
            ("LR+", "number"),
            ("LR−", "number"),
            ("Correlation", "number"),
        ],
    );
    let mut notes = Notes::default();
    for point in &report.operating_points {
        let head = Markup::text(format!("{}, score ≥ {}", point.name, point.threshold));
        let mut cells = vec![Markup::text(point.k.to_string())];
        match &point.joint {
            Estimable::Estimated(joint) => cells.extend(rates(&mut notes, joint)),
            Estimable::NotEstimable { not_estimable } => {
                cells.push(Markup::trusted(notes.dash(*not_estimable)));
                cells.extend(vec![Markup::default(); 4]);
            }
        }
        table.rows.push(Row::new(head, cells));
    }
    table.notes = notes.lines();
    table
}

fn rates(notes: &mut Notes, joint: &JointSynthesis) -> Vec<Markup> {
    vec![
        limits(Format::Percent, &joint.sensitivity),
        limits(Format::Percent, &joint.specificity),
        limits(Format::Fixed(2), &joint.positive_likelihood_ratio),
        limits(Format::Fixed(2), &joint.negative_likelihood_ratio),
        notes.number(&joint.correlation, |r| fixed(*r, 2)),
    ]
}

fn limits(format: Format, value: &WithLimits) -> Markup {
    Markup::trusted(format!(
        "{} <span class=\"ci\">({})</span>",
        format.value(value.estimate),
        format.bare_limits(value.ci)
    ))
}

/// Predictive values at each prevalence; `None` where no operating point has any.
pub(super) fn predictive_values(report: &Report) -> Option<Table> {
    let level = number::level(report.study.level);
    let caption = format!(
        "Predictive values of the mean test where the target condition is so frequent ({level} confidence \
         interval). Prevalences are those that the protocol states, and that of the cases analysed."
    );
    let mut table = Table::new(
        Markup::text(caption),
        &[
            ("Prevalence", "text"),
            ("Called positive: has the condition", "number"),
            ("Called negative: has it not", "number"),
        ],
    );
    for point in &report.operating_points {
        let Some(joint) = point.joint.value() else { continue };
        let mut conditions = report.conditions.iter();
        let of = conditions.find(|of| of.operating_points.contains(&point.name));
        let head = of.map_or_else(
            || point.name.to_string(),
            |condition| format!("{}: {}", condition.name, point.name),
        );
        table.rows.push(Row::group(Markup::text(head)));
        for values in &joint.predictive_values {
            let source = match values.source {
                PrevalenceSource::Protocol => "",
                PrevalenceSource::Observed => " (observed)",
            };
            let head = format!("{}{source}", Format::Percent.value(values.prevalence));
            let cells = [&values.positive, &values.negative];
            let cells = cells.map(|value| limits(Format::Percent, value)).to_vec();
            table.rows.push(Row::new(Markup::text(head), cells));
        }
    }
    (!table.rows.is_empty()).then(|| table.compact())
}

/// Sites in ROC space with the mean and its regions; `None` where no point has a joint synthesis.
pub(super) fn figure(report: &Report) -> Option<Figure> {
    let panels: Vec<Panel<'_>> =
        report.operating_points.iter().filter_map(|point| Panel::of(report, point)).collect();
    if panels.is_empty() {
        return None;
    }
    let mut drawing = Drawing::new(WIDTH, PANELS.height(panels.len()) + 10.0);
    let mut description = String::new();
    for (index, panel) in panels.iter().enumerate() {
        panel.draw(&mut drawing, PANELS.corner(index), report.participants.n);
        let _ = write!(
            description,
            "{}: sensitivity {}, specificity {}. ",
            panel.point.name,
            Format::Percent.value(panel.joint.sensitivity.estimate),
            Format::Percent.value(panel.joint.specificity.estimate)
        );
    }
    let title = "Sensitivity against false-positive rate by site, with the mean and its regions";
    let caption = "Sensitivity against false-positive rate at each operating point. Circles: sites, their \
                   area by cases. Diamond: mean. Filled: 95% confidence region of the mean. Dashed: 95% \
                   prediction region, where a new hospital is expected.";
    Some(Figure {
        picture: drawing.finish("roc-space", title, &description),
        caption: Markup::text(caption),
        data: data(&panels),
    })
}

/// Each operating point's sites, its mean, and the corners of its two regions.
fn data(panels: &[Panel<'_>]) -> Csv {
    let mut data = Csv::new(&[
        "operating_point",
        "mark",
        "site",
        "false_positive_rate",
        "sensitivity",
        "cases",
        "tp",
        "fn",
        "fp",
        "tn",
    ]);
    for panel in panels {
        let names = |mark| [Field::Text(panel.point.name.as_str()), Field::Text(mark)].into_iter();
        for Circle { site, row, cases, at } in &panel.circles {
            let counts = [row.tp, row.fn_, row.fp, row.tn]
                .map(|count| Field::from(count.released().copied()));
            let numbers = at.map(Field::Number).into_iter().chain([Field::Count(*cases)]);
            let site = [Field::Text(site.id.as_str())];
            data.row(names("site").chain(site).chain(numbers).chain(counts));
        }
        let mean = vec![panel.mean()];
        let [confidence, prediction] = panel.regions();
        for (mark, points) in
            [("mean", mean), ("confidence_region", confidence), ("prediction_region", prediction)]
        {
            for point in points {
                let place = [Field::Empty].into_iter().chain(point.map(Field::Number));
                data.row(names(mark).chain(place).chain((0..5).map(|_| Field::Empty)));
            }
        }
    }
    data
}

/// One operating point. Places are pairs of false-positive rate and sensitivity.
struct Panel<'a> {
    point: &'a OperatingPointSummary,
    joint: &'a JointSynthesis,
    circles: Vec<Circle<'a>>,
}

/// A site with both rates.
struct Circle<'a> {
    site: &'a Site,
    row: &'a OperatingPointRow,
    cases: u64,
    at: [f64; 2],
}

impl<'a> Panel<'a> {
    fn of(report: &'a Report, point: &'a OperatingPointSummary) -> Option<Self> {
        let circle = |site: &'a Site| {
            let row = site.operating_points.iter().find(|row| row.name == point.name)?;
            let at = [1.0 - row.specificity.value()?, *row.sensitivity.value()?];
            Some(Circle { site, row, cases: *site.n.value()?, at })
        };
        let circles = released(report).filter_map(circle).collect();
        Some(Self { point, joint: point.joint.value()?, circles })
    }

    const fn mean(&self) -> [f64; 2] {
        [1.0 - self.joint.specificity.estimate, self.joint.sensitivity.estimate]
    }

    /// Corners of the regions of the mean and of a new site.
    fn regions(&self) -> [Vec<[f64; 2]>; 2] {
        let JointSynthesis { mean, covariance, between, .. } = self.joint;
        [*covariance, sum(covariance, between)].map(|shape| ellipse(*mean, &shape))
    }

    fn draw(&self, drawing: &mut Drawing, [left, top]: [f64; 2], all: u64) {
        let at =
            |[fpr, sensitivity]: [f64; 2]| [left + fpr * PANEL, top + (1.0 - sensitivity) * PANEL];
        drawing.frame("panel", [left, top], [PANEL, PANEL]);
        for (share, label) in [(0.0, "0%"), (0.25, ""), (0.5, "50%"), (0.75, ""), (1.0, "100%")] {
            drawing.line("grid", at([share, 0.0]), at([share, 1.0]));
            drawing.line("grid", at([0.0, share]), at([1.0, share]));
            let [x, y] = at([share, share]);
            drawing.text("tick", [x, top + PANEL + 15.0], Anchor::Middle, label);
            drawing.text("tick", [left - 6.0, y + 4.0], Anchor::End, label);
        }
        drawing.line("reference", at([0.0, 0.0]), at([1.0, 1.0]));
        for (class, region) in ["band", "region"].into_iter().zip(self.regions()) {
            drawing.path(class, &region.into_iter().map(at).collect::<Vec<_>>(), true);
        }
        for circle in &self.circles {
            drawing.circle("site-mark", at(circle.at), radius(circle.cases, all));
        }
        let [x, y] = at(self.mean());
        let diamond = [[x - 6.0, y], [x, y - 6.0], [x + 6.0, y], [x, y + 6.0]];
        drawing.path("diamond", &diamond, true);
        drawing.text("panel-title", [left, top - 14.0], Anchor::Start, self.point.name.as_str());
        let under = [left + PANEL / 2.0, top + PANEL + 34.0];
        let label = "false-positive rate (x), sensitivity (y)";
        drawing.text("axis-label", under, Anchor::Middle, label);
    }
}

/// Area by share of the cases.
#[expect(clippy::cast_precision_loss, reason = "a radius is seen to a tenth of a point")]
fn radius(n: u64, all: u64) -> f64 {
    3.0 + 12.0 * (n as f64 / all.max(1) as f64).clamp(0.0, 1.0).sqrt()
}

fn sum(a: &[[f64; 2]; 2], b: &[[f64; 2]; 2]) -> [[f64; 2]; 2] {
    std::array::from_fn(|i| std::array::from_fn(|j| a[i][j] + b[i][j]))
}

/// The region of two jointly normal logits, as pairs of false-positive rate and sensitivity.
fn ellipse(mean: [f64; 2], covariance: &[[f64; 2]; 2]) -> Vec<[f64; 2]> {
    let [[v11, v12], [_, v22]] = *covariance;
    // Cholesky; a variance of 0 leaves a line or a point.
    let a = v11.max(0.0).sqrt();
    let b = if a > 0.0 { v12 / a } else { 0.0 };
    let c = (v22 - b * b).max(0.0).sqrt();
    (0..CORNERS)
        .map(|corner| {
            let angle = f64::from(corner) * std::f64::consts::TAU / f64::from(CORNERS);
            let (sin, cos) = libm::sincos(angle);
            let sensitivity = mean[0] + RADIUS * a * cos;
            let fpr = mean[1] + RADIUS * (b * cos + c * sin);
            [expit(fpr), expit(sensitivity)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_surrounds_its_mean_and_may_be_a_point() {
        let region = ellipse([1.0, -1.0], &[[0.1, 0.05], [0.05, 0.2]]);
        let ends = |of: usize| {
            region.iter().fold((1.0_f64, 0.0_f64), |(low, high), point| {
                (low.min(point[of]), high.max(point[of]))
            })
        };
        let ((low_fpr, high_fpr), (low, high)) = (ends(0), ends(1));
        assert!(low_fpr < expit(-1.0) && expit(-1.0) < high_fpr);
        assert!((low - expit(1.0 - RADIUS * 0.1_f64.sqrt())).abs() < 1e-3 && high < 1.0);
        let point = ellipse([0.0, 0.0], &[[0.0, 0.0], [0.0, 0.0]]);
        assert!(point.iter().all(|p| p.iter().all(|x| (x - 0.5).abs() < 1e-12)));
    }
}
