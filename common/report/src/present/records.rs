//! What was withheld, and where every number comes from.

use super::markup::{Markup, escape};
use super::ranking::Ranking;
use super::table::{Row, Table};
use super::words;
use crate::report::{Report, WithheldCode, WithheldItem, WithheldWhat};

/// Up to so many withheld results, each is shown.
const MOST: usize = 200;

/// Everything that a reader might look for and not find; `None` where nothing is.
pub(super) fn withheld(report: &Report) -> Option<Table> {
    if report.disclosure.withheld.is_empty() {
        return None;
    }
    let all = &report.disclosure.withheld;
    let more = if all.len() > MOST {
        format!(" Shown are {MOST} of {}; all stand in tables/withheld.csv.", all.len())
    } else {
        String::new()
    };
    let caption = Markup::text(format!(
        "Withheld results. Cells that are small and cells that protect them are not told apart.{more}"
    ));
    let mut table = Table::new(
        caption,
        &[("Site", "text"), ("What", "text"), ("Why", "text"), ("Rule", "text")],
    );
    table.rows = all.iter().take(MOST).map(|item| withheld_row(report, item)).collect();
    Some(table)
}

fn withheld_row(report: &Report, item: &WithheldItem) -> Row {
    let (what, rule) = match &item.what {
        WithheldWhat::WholeSite => {
            ("all results".to_owned(), item.rule.clone().unwrap_or_else(|| "–".to_owned()))
        }
        // Naming the one rule would tell the small cell from its partner.
        WithheldWhat::Subgroup { dimension, category } => {
            (format!("subgroup {dimension}: {category}"), "DC-03 or DC-17".to_owned())
        }
        WithheldWhat::FalsePositives => {
            let what = "false positives of all patients, and the free-response curve";
            (what.to_owned(), "DC-10".to_owned())
        }
        WithheldWhat::GroupFalsePositives => {
            ("false positives of groups".to_owned(), "DC-10".to_owned())
        }
        WithheldWhat::Condition { condition } => {
            (format!("{condition}, and the mean over all conditions"), "DC-03 or DC-17".to_owned())
        }
        WithheldWhat::GroupCondition { category, condition, dimension } => {
            (format!("{condition} in {dimension}: {category}"), "DC-03 or DC-17".to_owned())
        }
        WithheldWhat::Attrition { reason } => {
            (format!("patients with: {}", words::failure(*reason)), "DC-04".to_owned())
        }
    };
    let cells = vec![Markup::text(what), Markup::text(why(report, item.code)), Markup::text(rule)];
    Row::new(Markup::text(item.site.as_str()), cells)
}

/// Neither a quantity nor a mask has classes that could be too small.
const fn why(report: &Report, code: WithheldCode) -> &'static str {
    match code {
        WithheldCode::Insufficient
            if report.quantity.is_some() || report.segmentation.is_some() =>
        {
            "the whole cohort has too few patients"
        }
        code => words::withheld(code),
    }
}

/// Digests of the study's documents, and how data and code can be had.
pub(super) fn study(report: &Report) -> Vec<(String, Markup)> {
    let text = |text: String| Markup::text(text);
    vec![
        ("Protocol (SHA-256)".to_owned(), code(&report.study.protocol_digest.to_string())),
        ("Model file (SHA-256)".to_owned(), code(&report.model.digest.to_string())),
        ("Model".to_owned(), text(format!("{}, {} bytes", report.model.name, report.model.bytes))),
        (
            "Study".to_owned(),
            text(format!("{}, protocol version {}", report.study.id, report.study.version)),
        ),
        ("Round".to_owned(), text(round(report))),
        (
            "Report".to_owned(),
            text(format!(
                "schema {}, made by {} {}",
                report.schema, report.software.name, report.software.version
            )),
        ),
        (
            "Data".to_owned(),
            text(
                "what each site released comes with this report, as the site signed it; data of patients stay at \
                 the sites, which alone can give access"
                    .to_owned(),
            ),
        ),
        ("Code".to_owned(), text(code_of(report))),
    ]
}

/// Where the analysis can be had, and run again.
fn code_of(report: &Report) -> String {
    format!(
        "{} {}, licence {}: fedval verify makes every number again from the signed results",
        report.software.name,
        report.software.version,
        env!("CARGO_PKG_LICENSE")
    )
}

fn round(report: &Report) -> String {
    let round = &report.round;
    let closed = match &round.closed_at {
        Some(closed) => format!("closed {closed}"),
        None => "still open".to_owned(),
    };
    format!("{}, opened {}, {closed}", round.id, round.opened_at)
}

/// Digests of every site's documents.
pub(super) fn sites(report: &Report, shown: &Ranking<'_>) -> Table {
    let caption = Markup::text(format!(
        "Signed site documents (SHA-256): result, disclosure policy, commitment to the cohort, \
         agent executable.{}",
        shown.caption()
    ));
    let mut table =
        Table::new(caption, &[("Document", "text"), ("Terms", "text"), ("Digest", "text")]);
    for site in &shown.sites {
        let recorded = site.recorded_at.as_deref().unwrap_or("no answer");
        let heading =
            format!("{}, dispatched {}, recorded {recorded}", site.id, site.dispatched_at);
        table.rows.push(Row::group(Markup::text(heading)));
        let policy = report.disclosure.policy_digests.get(&site.id);
        let digests = [
            ("Result", site.result.map(|digest| digest.to_string())),
            ("Policy", policy.map(ToString::to_string)),
            ("Cohort", site.cohort.map(|digest| digest.to_string())),
            ("Agent", site.agent_build.map(|digest| digest.to_string())),
            ("Probe images", site.preprocessing.map(|digest| digest.to_string())),
        ];
        for (what, digest) in digests {
            let Some(digest) = digest else { continue };
            let note = match (what, &site.disclosure) {
                ("Policy", Some(control)) => words::terms(&control.terms),
                _ => String::new(),
            };
            table.rows.push(Row::new(Markup::text(what), vec![Markup::text(note), code(&digest)]));
        }
    }
    table
}

/// A digest in full, which may break anywhere.
pub(super) fn code(digest: &str) -> Markup {
    Markup::trusted(format!("<code>{}</code>", escape(digest)))
}
