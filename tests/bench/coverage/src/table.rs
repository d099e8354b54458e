//! What is printed.

use std::fmt::Write as _;

use crate::Args;
use crate::measure::Measured;
use crate::scenario::Scenario;
use crate::tally::Tally;

type Row = (Scenario, Measured);
type Part = fn(&Measured) -> &Tally;

const PARTS: [(&str, Part); 4] = [
    ("auroc", |of| &of.auroc),
    ("sensitivity", |of| &of.sensitivity),
    ("pooled", |of| &of.pooled),
    ("prediction", |of| &of.prediction),
];

/// Coverage that is too low to be called 95 %.
const LOW: f64 = 0.93;

/// Every scenario, comma-separated.
pub(crate) fn values(rows: &[Row]) -> String {
    let mut text = String::from("clustered,sites,patients,positives,prevalence,i2");
    for (name, _) in PARTS {
        let _ = write!(text, ",{name},{name}_mc_error,{name}_without");
    }
    for (scenario, measured) in rows {
        let Scenario { clustered, sites, patients, positives, prevalence, i2 } = scenario;
        let _ = write!(text, "\n{clustered},{sites},{patients},{positives},{prevalence},{i2}");
        for (_, part) in PARTS {
            let tally = part(measured);
            let coverage = tally.coverage().map_or_else(String::new, |share| format!("{share:.4}"));
            let _ = write!(text, ",{coverage},{:.4},{}", tally.error(), tally.without);
        }
    }
    text.push('\n');
    text
}

/// Two tables for `deploy/docs/statistics.md`: the lowest coverage of each kind of scenario, and the median.
pub(crate) fn summary(rows: &[Row], args: &Args) -> String {
    let mut text = format!(
        "Seed {}, {} rounds of each of {} scenarios.\n\n\
         | a site's positives | images a patient | AUROC | sensitivity |\n|--:|--:|--:|--:|\n",
        args.seed,
        args.replicates,
        rows.len()
    );
    let mut positives: Vec<u32> = rows.iter().map(|(scenario, _)| scenario.positives).collect();
    positives.sort_unstable();
    positives.dedup();
    for clustered in [false, true] {
        for positives in &positives {
            let kind = |of: &Scenario| of.clustered == clustered && of.positives == *positives;
            let images = if clustered { 2 } else { 1 };
            let (auroc, sensitivity) = (cell(rows, kind, 0), cell(rows, kind, 1));
            let _ = writeln!(text, "| {positives} | {images} | {auroc} | {sensitivity} |");
        }
    }
    text.push_str(
        "\n| sites | I² | images a patient | pooled AUROC | prediction interval |\n|--:|--:|--:|--:|--:|\n",
    );
    for clustered in [false, true] {
        for sites in [3, 5, 10, 30] {
            for i2 in [0.0, 0.3, 0.6, 0.9] {
                let kind = |of: &Scenario| {
                    of.clustered == clustered && of.sites == sites && (of.i2 - i2).abs() < 1e-9
                };
                let images = if clustered { 2 } else { 1 };
                let (pooled, prediction) = (cell(rows, kind, 2), cell(rows, kind, 3));
                let _ = writeln!(
                    text,
                    "| {sites} | {:.0} % | {images} | {pooled} | {prediction} |",
                    100.0 * i2
                );
            }
        }
    }
    text
}

/// The median coverage and the lowest, in percent; a lowest one that is low stands out.
fn cell(rows: &[Row], kind: impl Fn(&Scenario) -> bool, part: usize) -> String {
    let of = PARTS[part].1;
    let rows = rows.iter().filter(|(scenario, _)| kind(scenario));
    let mut shares: Vec<f64> = rows.filter_map(|(_, measured)| of(measured).coverage()).collect();
    shares.sort_unstable_by(f64::total_cmp);
    let (Some(lowest), Some(median)) = (shares.first(), shares.get(shares.len() / 2)) else {
        return "–".to_owned();
    };
    let shown = format!("{:.1}", 100.0 * lowest);
    let lowest = if *lowest < LOW { format!("**{shown}**") } else { shown };
    format!("{:.1}, at least {lowest}", 100.0 * median)
}
