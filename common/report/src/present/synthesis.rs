//! The synthesis in tables: every metric, every method, every site left out.

use fedval_study::MetricId;

use super::markup::Markup;
use super::number::{self, Format, fixed};
use super::over_sites;
use super::ranking::Ranking;
use super::table::{Notes, Row, Table};
use super::words;
use crate::report::{
    Alternative, Estimable, InfluenceMeasures, LeaveOneOut, Reason, Report, SiteInfluence,
    Synthesis,
};

/// What is told of a pooled answer.
pub(super) const COLUMNS: [(&str, &str); 8] = [
    ("Metric", "text"),
    ("k", "number"),
    ("Pooled mean", "number"),
    ("New hospital", "number"),
    ("τ²", "number"),
    ("I²", "number"),
    ("Q, p", "number"),
    ("Method", "text"),
];

/// One row a metric, with the answers of other methods below it.
pub(super) fn table(report: &Report, asked: &[MetricId]) -> Table {
    let level = number::level(report.study.level);
    let caption = format!(
        "Random-effects synthesis across sites. Mean ({level} confidence interval), {level} \
         prediction interval for a new hospital, and heterogeneity; τ² on the analysis scale. A mean \
         is taken on that scale and moved back, which makes it the value at the median site. On the \
         identity scale a limit may lie outside the values that the metric can take. For metrics \
         with an endpoint, indented rows answer the same question by another method; for the \
         others, report.json holds them.{}",
        over_sites::caption(report)
    );
    let mut table = Table::new(Markup::text(caption), &COLUMNS);
    let mut notes = Notes::default();
    for (id, synthesis) in &report.synthesis {
        let mean = over_sites::row(&mut notes, report, id);
        table.rows.push(mean.unwrap_or_else(|| row(report, &mut notes, id, synthesis)));
        if let Estimable::Estimated(synthesis) = synthesis {
            let others = synthesis.alternatives.iter().filter(|_| asked.contains(id));
            table.rows.extend(others.map(|other| alternative(&mut notes, id, other)));
        }
    }
    table.notes = notes.lines();
    table
}

/// The pooled answer of one metric, below [`COLUMNS`].
pub(super) fn row(
    report: &Report,
    notes: &mut Notes,
    id: &MetricId,
    synthesis: &Estimable<Synthesis>,
) -> Row {
    let name = Markup::text(words::metric_with_unit(report, id));
    match synthesis {
        Estimable::Estimated(synthesis) => primary(notes, id, name, synthesis),
        Estimable::NotEstimable { not_estimable } => {
            let dash = Markup::trusted(notes.dash(*not_estimable));
            let mut cells = vec![Markup::default(), dash];
            cells.extend(vec![Markup::default(); 5]);
            Row::new(name, cells)
        }
    }
}

fn primary(notes: &mut Notes, id: &MetricId, name: Markup, synthesis: &Synthesis) -> Row {
    let format = Format::of(id);
    let q = match (synthesis.q.value(), synthesis.q_p.value()) {
        (Some(q), Some(p)) => Markup::text(format!("{}, {}", fixed(*q, 1), number::p_value(*p))),
        _ => notes.number(&synthesis.q, |q| fixed(*q, 1)),
    };
    let cells = vec![
        Markup::text(synthesis.k.to_string()),
        Markup::trusted(notes.with_limits(format, synthesis.estimate, &synthesis.ci)),
        notes.number(&synthesis.prediction_interval, |ends| format.limits(*ends)),
        Markup::text(fixed(synthesis.tau2, 3)),
        notes.number(&synthesis.i2, |i2| format!("{}%", fixed(i2 * 100.0, 0))),
        q,
        Markup::text(format!(
            "{}; {} scale",
            words::method(&synthesis.method),
            words::scale(synthesis.scale)
        )),
    ];
    Row::new(name, cells)
}

fn alternative(notes: &mut Notes, id: &MetricId, other: &Alternative) -> Row {
    let format = Format::of(id);
    let mean = match &other.estimate {
        Estimable::Estimated(mean) => Markup::trusted(notes.with_limits(format, *mean, &other.ci)),
        Estimable::NotEstimable { not_estimable } => Markup::trusted(notes.dash(*not_estimable)),
    };
    let cells = vec![
        Markup::default(),
        mean,
        notes.number(&other.prediction_interval, |ends| format.limits(*ends)),
        notes.number(&other.tau2, |tau2| fixed(*tau2, 3)),
        Markup::default(),
        Markup::default(),
        Markup::text(words::method(&other.method)),
    ];
    Row::new(Markup::trusted("<span class=\"indent\">other method</span>"), cells).styled("muted")
}

/// The synthesis of each metric that an endpoint asks about, without each site in turn.
pub(super) fn leave_one_out(
    report: &Report,
    shown: &Ranking<'_>,
    metrics: &[MetricId],
) -> Option<Table> {
    let level = number::level(report.study.level);
    let caption = format!(
        "Influence of single sites: the pooled mean ({level} confidence interval) with each site \
         left out; its distance from the others in standard errors, where beyond 1.96 it stands out; and \
         Cook's distance.{}",
        shown.caption()
    );
    let mut table = Table::new(
        Markup::text(caption),
        &[
            ("Site left out", "text"),
            ("Pooled mean of the others", "number"),
            ("τ²", "number"),
            ("Distance", "number"),
            ("Cook's", "number"),
        ],
    );
    let mut notes = Notes::default();
    for id in metrics {
        let Some(synthesis) = report.synthesis_of(id) else { continue };
        if synthesis.k < 3 || synthesis.leave_one_out.is_empty() {
            continue;
        }
        table.rows.push(Row::group(Markup::text(words::metric(id))));
        for site in &shown.sites {
            let refit = synthesis.leave_one_out.iter().find(|refit| refit.site == site.id);
            let influence = synthesis.influence.iter().find(|of| of.site == site.id);
            table.rows.extend(refit.map(|refit| refitted(&mut notes, id, refit, influence)));
        }
    }
    table.notes = notes.lines();
    (!table.rows.is_empty()).then(|| table.compact())
}

fn refitted(
    notes: &mut Notes,
    id: &MetricId,
    refit: &LeaveOneOut,
    influence: Option<&SiteInfluence>,
) -> Row {
    let mean = match &refit.estimate {
        Estimable::Estimated(mean) => {
            Markup::trusted(notes.with_limits(Format::of(id), *mean, &refit.ci))
        }
        Estimable::NotEstimable { not_estimable } => Markup::trusted(notes.dash(*not_estimable)),
    };
    let tau2 = notes.number(&refit.tau2, |tau2| fixed(*tau2, 3));
    let measures = influence
        .map_or(Estimable::not(Reason::NotDefinedForMethod), |influence| influence.measures);
    let distance = notes.number(&measures, |of| fixed(of.studentised_residual, 2));
    let cooks = notes.number(&measures, |of| fixed(of.cooks_distance, 2));
    let stands_out = measures.value().is_some_and(InfluenceMeasures::stands_out);
    let row = Row::new(Markup::text(refit.site.as_str()), vec![mean, tau2, distance, cooks]);
    row.styled(if stands_out { "pooled" } else { "" })
}
