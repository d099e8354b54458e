//! Clinical utility: net benefit at each operating point.

use std::fmt::Write as _;

use fedval_study::Name;

use super::axis::Axis;
use super::figure::Figure;
use super::markup::Markup;
use super::number::{self, Format, fixed};
use super::picture::{Anchor, Drawing, Picture};
use super::table::{Notes, Row, Table};
use crate::csv::{Csv, Field, limits, reason};
use crate::report::{
    ConditionSummary, Estimable, NetBenefit, OperatingPointSummary, Report, Scale,
};

const WIDTH: f64 = 960.0;
const PLOT: [f64; 2] = [80.0, 900.0];
const TOP: f64 = 24.0;
const BOTTOM: f64 = 300.0;

/// Operating points by threshold, each with a pooled net benefit; of several conditions those of one.
fn points<'r>(
    report: &'r Report,
    condition: Option<&ConditionSummary>,
) -> Vec<(&'r OperatingPointSummary, &'r NetBenefit)> {
    let is_own = |point: &&OperatingPointSummary| {
        condition.is_none_or(|condition| condition.operating_points.contains(&point.name))
    };
    let mut points: Vec<_> = report
        .operating_points
        .iter()
        .filter(is_own)
        .filter_map(|point| Some((point, point.pooled_net_benefit.value()?)))
        .collect();
    points.sort_by(|one, other| one.0.threshold.total_cmp(&other.0.threshold));
    points
}

/// Net benefit of the model, of acting on all and of acting on nobody.
pub(super) fn table(report: &Report) -> Option<Table> {
    let level = number::level(report.study.level);
    let caption = format!(
        "Net benefit for each 100 cases ({level} confidence interval), if one acts on a positive call and the \
         cut-off is the probability from which one would act: true positives, less false positives at \
         their odds. Acting on nobody is worth 0. Least and largest: over single sites."
    );
    let mut table = Table::new(
        Markup::text(caption),
        &[
            ("Operating point", "text"),
            ("Acting on the call", "number"),
            ("Acting on all", "number"),
            ("Least site", "number"),
            ("Largest site", "number"),
        ],
    );
    let mut notes = Notes::default();
    if report.conditions.is_empty() {
        table.rows.extend(points(report, None).into_iter().map(|point| row(&mut notes, point)));
    }
    for condition in &report.conditions {
        let points = points(report, Some(condition));
        if !points.is_empty() {
            table.rows.push(Row::group(Markup::text(condition.name.as_str())));
            table.rows.extend(points.into_iter().map(|point| row(&mut notes, point)));
        }
    }
    table.notes = notes.lines();
    (!table.rows.is_empty()).then(|| table.compact())
}

fn row(notes: &mut Notes, (point, pooled): (&OperatingPointSummary, &NetBenefit)) -> Row {
    let hundred = Format::Fixed(1);
    let ci = match pooled.ci {
        Estimable::Estimated(ci) => Estimable::Estimated(ci.map(|end| end * 100.0)),
        Estimable::NotEstimable { not_estimable } => Estimable::not(not_estimable),
    };
    let sites = point.net_benefit.iter().filter_map(|site| Some(site.value.value()?.estimate));
    let (low, high) = sites.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let cells = vec![
        Markup::trusted(notes.with_limits(hundred, pooled.estimate * 100.0, &ci)),
        Markup::text(fixed(pooled.treat_all * 100.0, 1)),
        Markup::text(fixed(low * 100.0, 1)),
        Markup::text(fixed(high * 100.0, 1)),
    ];
    let head = format!("{}, act from {}", point.name, Format::Percent.value(point.threshold));
    Row::new(Markup::text(head), cells)
}

/// The decision curve over the locked cut-offs, or that of each of several conditions; none below two of them: one point
/// is no curve, and neither are cut-offs of several scores.
pub(super) fn figures(report: &Report) -> Vec<Figure> {
    if report.conditions.is_empty() {
        return figure(report, None).into_iter().collect();
    }
    report.conditions.iter().filter_map(|condition| figure(report, Some(condition))).collect()
}

fn figure(report: &Report, condition: Option<&ConditionSummary>) -> Option<Figure> {
    let points = points(report, condition);
    if points.len() < 2 {
        return None;
    }
    let caption = "Decision curve over the locked cut-offs, all sites together. Solid with intervals: acting on \
                   the model's call. Dashed: acting on everybody. Zero line: acting on nobody. The curve \
                   is known at the marks only; lines between them guide the eye.";
    let of = condition.map(|condition| &condition.name);
    let caption = of.map_or_else(|| caption.to_owned(), |name| format!("{name}: {caption}"));
    Some(Figure { picture: draw(&points, of), caption: Markup::text(caption), data: data(&points) })
}

/// A cut-off a row: net benefit of acting on the call, on everybody and on nobody.
fn data(points: &[(&OperatingPointSummary, &NetBenefit)]) -> Csv {
    let mut data = Csv::new(&[
        "operating_point",
        "threshold",
        "net_benefit",
        "lower",
        "upper",
        "treat_all",
        "treat_none",
        "reason",
    ]);
    for (point, benefit) in points {
        let [lower, upper] = limits(&benefit.ci);
        data.row([
            Field::Text(point.name.as_str()),
            Field::Number(point.threshold),
            Field::Number(benefit.estimate),
            lower,
            upper,
            Field::Number(benefit.treat_all),
            Field::Number(0.0),
            reason(&benefit.ci),
        ]);
    }
    data
}

fn draw(points: &[(&OperatingPointSummary, &NetBenefit)], condition: Option<&Name>) -> Picture {
    let thresholds: Vec<f64> = points.iter().map(|(point, _)| point.threshold).collect();
    let across = Axis::holding(&thresholds, Scale::Logit, PLOT);
    let mut benefits = vec![0.0];
    for (_, benefit) in points {
        benefits.extend([benefit.estimate, benefit.treat_all.max(-0.1)]);
        benefits.extend(benefit.ci.value().into_iter().flatten());
    }
    let up = Axis::holding(&benefits, Scale::Identity, [BOTTOM, TOP]);
    let mut drawing = Drawing::new(WIDTH, BOTTOM + 48.0);
    axes(&mut drawing, &across, &up);
    let at = |x: f64, y: f64| [across.at(x), up.at(y)];
    drawing.line("axis", [PLOT[0], up.at(0.0)], [PLOT[1], up.at(0.0)]);
    let all: Vec<_> =
        points.iter().map(|(p, benefit)| at(p.threshold, benefit.treat_all)).collect();
    drawing.path("treat-all", &all, false);
    let model: Vec<_> =
        points.iter().map(|(p, benefit)| at(p.threshold, benefit.estimate)).collect();
    drawing.path("curve", &model, false);
    let mut description = String::new();
    for ((point, benefit), at) in points.iter().zip(&model) {
        if let Some([lower, upper]) = benefit.ci.value() {
            drawing.line("whisker", [at[0], up.at(*lower)], [at[0], up.at(*upper)]);
        }
        drawing.square("square", *at, 8.0);
        let value = fixed(benefit.estimate * 100.0, 1);
        let _ = write!(description, "{}: {value} for each 100 cases. ", point.name);
    }
    let title = "Net benefit against the probability from which one acts";
    match condition {
        None => drawing.finish("decision-curve", title, &description),
        Some(name) => {
            let (id, title) = (format!("decision-curve-{name}"), format!("{name}: {title}"));
            drawing.finish(&id, &title, &description)
        }
    }
}

fn axes(drawing: &mut Drawing, across: &Axis, up: &Axis) {
    for (x, label) in across.ticks(Format::Percent) {
        drawing.line("grid", [x, TOP], [x, BOTTOM]);
        drawing.text("tick", [x, BOTTOM + 18.0], Anchor::Middle, &label);
    }
    for (y, label) in up.ticks(Format::Fixed(3)) {
        drawing.line("grid", [PLOT[0], y], [PLOT[1], y]);
        drawing.text("tick", [PLOT[0] - 8.0, y + 4.0], Anchor::End, &label);
    }
    let under = [f64::midpoint(PLOT[0], PLOT[1]), BOTTOM + 40.0];
    drawing.text("axis-label", under, Anchor::Middle, "probability from which one acts");
    drawing.text("axis-label", [0.0, TOP - 10.0], Anchor::Start, "net benefit for each case");
}
