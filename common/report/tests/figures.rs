//! Every figure as numbers: what the picture draws, in full, and no more.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;

use std::collections::BTreeMap;

use cohort::Recipe;
use consortium::{Answers, all_answers, answers, documents, plan, released};
use fedval_report::{Report, assemble, render};
use fedval_study::{Outcome, StudyProtocol};
use serde_json::Value;

const OPENED: i64 = 1_760_000_000_000;
/// More sites than are shown one by one.
const MANY: usize = 43;

type Forms = BTreeMap<String, String>;
/// Cells by column.
type Row = BTreeMap<String, String>;

fn report(plan: &StudyProtocol, answers: &Answers) -> Report {
    let (protocol, round, results) = documents(plan, answers, OPENED);
    assemble(&protocol, &round, &results).unwrap()
}

/// The figures of a report.
fn figures(report: &Report) -> Forms {
    let forms = render(report, &[]).unwrap().into_iter();
    let figures = forms.filter(|(path, _)| path.starts_with("figures/"));
    figures.map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect()
}

/// The figures with a file of this ending.
fn ids<'a>(figures: &'a Forms, ending: &str) -> Vec<&'a str> {
    let names = figures.keys().filter_map(|path| path.strip_prefix("figures/"));
    names.filter_map(|name| name.strip_suffix(ending)).collect()
}

/// The rows of a figure's data, which hold no quoted cell.
fn rows(figures: &Forms, id: &str) -> Vec<Row> {
    let mut lines = figures[&format!("figures/{id}.csv")].lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| -> Row {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), columns.len(), "{id}: {line}");
        columns
            .iter()
            .zip(cells)
            .map(|(name, cell)| ((*name).to_owned(), cell.to_owned()))
            .collect()
    };
    lines.map(row).collect()
}

fn marked<'a>(rows: &'a [Row], mark: &str) -> Vec<&'a Row> {
    rows.iter().filter(|row| row["mark"] == mark).collect()
}

/// A cell as a number, or nothing.
fn number(cell: &str) -> Option<f64> {
    (!cell.is_empty()).then(|| cell.parse().unwrap())
}

fn bits(number: Option<f64>) -> Option<u64> {
    number.map(f64::to_bits)
}

/// So many sites that released, some of them poor.
fn many(plan: &StudyProtocol) -> Answers {
    let outcomes: Vec<Outcome> = [(1, 2.2), (2, 1.2), (3, 2.9), (4, 1.8)]
        .map(|(seed, separation)| released(plan, Recipe { seed, separation, ..Recipe::default() }))
        .into();
    let name = |index: usize| &*format!("site-{index:02}").leak();
    (0..MANY).map(|index| (name(index), Some(outcomes[index % 4].clone()))).collect()
}

#[test]
fn every_picture_stands_beside_its_data() {
    let mut bare = plan();
    bare.subgroups.clear();
    bare.operating_points.clear();
    bare.endpoints.retain(|endpoint| endpoint.metric == fedval_study::MetricId::Auroc);
    let two: Answers = answers(&plan()).into_iter().take(2).collect();
    for (plan, answers) in [
        (plan(), all_answers(&plan())),
        (plan(), many(&plan())),
        (plan(), two),
        (plan(), vec![("site-a", Some(Outcome::Insufficient)), ("site-b", None)]),
        (bare.clone(), answers(&bare)),
    ] {
        let figures = figures(&report(&plan, &answers));
        assert_eq!(ids(&figures, ".svg"), ids(&figures, ".csv"));
        for id in ids(&figures, ".csv") {
            let data = &figures[&format!("figures/{id}.csv")];
            assert!(!rows(&figures, id).is_empty(), "{id} is empty");
            let header = data.lines().next().unwrap();
            let is_plain = |c: char| c.is_ascii_lowercase() || c == '_' || c == ',';
            assert!(header.chars().all(is_plain), "{id}: {header}");
            assert!(!data.contains("NaN") && !data.contains("inf,"), "{id}: {data}");
        }
    }
}

#[test]
fn every_one_of_many_sites_stands_on_one_page_of_the_ranked_forest() {
    let figures = figures(&report(&plan(), &many(&plan())));
    let metric = plan().endpoints[0].metric.to_string().replace('@', "-");
    let first = format!("forest-{metric}");
    let mut pages = vec![first.clone()];
    pages.extend(
        (2..)
            .map(|page| format!("{first}-page-{page}"))
            .take_while(|id| figures.contains_key(&format!("figures/{id}.svg"))),
    );
    assert_eq!(pages.len(), MANY.div_ceil(40));
    let sites: Vec<String> = pages
        .iter()
        .flat_map(|id| {
            let rows = rows(&figures, id);
            marked(&rows, "site").iter().map(|row| row["site"].clone()).collect::<Vec<_>>()
        })
        .collect();
    let once: std::collections::BTreeSet<&String> = sites.iter().collect();
    assert_eq!((sites.len(), once.len()), (MANY, MANY));
}

#[test]
fn a_forest_s_data_are_the_numbers_of_the_report() {
    let report = report(&plan(), &all_answers(&plan()));
    let figures = figures(&report);
    let json: Value = serde_json::from_slice(report.canonical().unwrap().bytes()).unwrap();
    let ends = |value: &Value| [0, 1].map(|end| bits(value[end].as_f64()));
    let limits = |row: &Row| [&row["lower"], &row["upper"]].map(|cell| bits(number(cell)));
    for metric in ["auroc", "sensitivity@balanced", "specificity@rule-out"] {
        let rows = rows(&figures, &format!("forest-{}", metric.replace('@', "-")));
        let (sites, pooled) = (marked(&rows, "site"), &json["synthesis"][metric]);
        assert_eq!(sites.len(), json["sites"].as_array().unwrap().len());
        for (row, site) in sites.into_iter().zip(json["sites"].as_array().unwrap()) {
            let found = &site["metrics"][metric];
            assert_eq!(row["site"], site["id"].as_str().unwrap());
            assert_eq!(bits(number(&row["estimate"])), bits(found["estimate"].as_f64()));
            assert_eq!(limits(row), ends(&found["ci"]));
            let mut weights = pooled["weights"].as_array().unwrap().iter();
            let weight = weights.find(|weight| weight["site"] == site["id"]);
            let weight = weight.and_then(|weight| weight["weight"].as_f64());
            assert_eq!(bits(number(&row["weight"])), bits(weight));
            let is_whole =
                ["estimate", "lower", "upper", "weight"].iter().all(|c| !row[*c].is_empty());
            assert_eq!(row["reason"].is_empty(), is_whole, "{row:?}");
        }
        let [mean] = marked(&rows, "pooled_mean")[..] else { panic!("{rows:?}") };
        assert_eq!(bits(number(&mean["estimate"])), bits(pooled["estimate"].as_f64()));
        assert_eq!(mean["k"], pooled["k"].to_string());
        assert_eq!(limits(mean), ends(&pooled["ci"]));
        let [expected] = marked(&rows, "prediction_interval")[..] else { panic!("{rows:?}") };
        assert_eq!(limits(expected), ends(&pooled["prediction_interval"]));
    }
    let auroc = rows(&figures, "forest-auroc");
    let limits: Vec<&str> =
        marked(&auroc, "acceptance_limit").iter().map(|row| row["lower"].as_str()).collect();
    assert_eq!(limits, ["0.8", "0.75"]);
    let silent = auroc.iter().find(|row| row["site"] == "site-e").unwrap();
    assert_eq!(silent["reason"], "missing");
}

#[test]
fn of_many_sites_the_data_hold_those_that_are_drawn() {
    let figures = figures(&report(&plan(), &many(&plan())));
    let forest = rows(&figures, "forest-auroc");
    let sites = marked(&forest, "site");
    assert_eq!(sites.len(), 40);
    let estimates: Vec<f64> = sites.iter().filter_map(|row| number(&row["estimate"])).collect();
    assert!(estimates.is_sorted(), "worst first: {estimates:?}");
    let drawn = &figures["figures/forest-auroc.svg"];
    assert!(sites.iter().all(|row| drawn.contains(&format!(">{}</text>", row["site"]))));
    let fits = rows(&figures, "calibration");
    assert_eq!(marked(&fits, "fit").len(), 40);
    // These draw every site.
    let funnel = rows(&figures, "funnel-auroc");
    assert_eq!(marked(&funnel, "site").len(), MANY);
    let roc = rows(&figures, "roc-space");
    let circles = figures["figures/roc-space.svg"].matches("<circle").count();
    assert_eq!((marked(&roc, "site").len(), circles), (2 * MANY, 2 * MANY));
}

#[test]
fn lines_and_regions_have_the_corners_that_are_drawn() {
    let figures = figures(&report(&plan(), &many(&plan())));
    let corners = |id: &str| -> Vec<usize> {
        let paths = figures[&format!("figures/{id}.svg")].split(" d=\"").skip(1);
        paths.map(|path| path.split('"').next().unwrap().matches(['M', 'L']).count()).collect()
    };
    let roc = rows(&figures, "roc-space");
    let points =
        ["confidence_region", "prediction_region", "mean"].map(|mark| marked(&roc, mark).len());
    // Twice, for two operating points; a mean is drawn as a diamond.
    assert_eq!((points, corners("roc-space")), ([144, 144, 2], vec![72, 72, 4, 72, 72, 4]));
    let funnel = rows(&figures, "funnel-auroc");
    let lines = ["lower_line", "upper_line"].map(|mark| marked(&funnel, mark).len());
    assert_eq!(lines.to_vec(), corners("funnel-auroc"));
    let (first, last) = (marked(&funnel, "lower_line")[0], marked(&funnel, "lower_line")[20]);
    let mean = number(&marked(&funnel, "pooled_mean")[0]["estimate"]).unwrap();
    let at = |row: &Row| number(&row["estimate"]).unwrap();
    assert!((at(first) - mean).abs() < 1e-9 && at(last) < mean);
    let curve = rows(&figures, "calibration");
    // There and back: the band; then the line.
    assert_eq!(marked(&curve, "curve").len(), 40 * 47);
    assert_eq!(corners("calibration")[..2], [2 * 47, 47]);
}

#[test]
fn net_benefit_and_flow_are_those_of_the_report() {
    let report = report(&plan(), &all_answers(&plan()));
    let figures = figures(&report);
    let curve = rows(&figures, "decision-curve");
    assert_eq!(curve.len(), 2);
    for (row, point) in curve.iter().zip(&report.operating_points) {
        let benefit = point.pooled_net_benefit.value().unwrap();
        assert_eq!(row["operating_point"], point.name.as_str());
        let drawn = ["threshold", "net_benefit", "treat_all", "treat_none"]
            .map(|column| bits(number(&row[column])));
        let known = [point.threshold, benefit.estimate, benefit.treat_all, 0.0];
        assert_eq!(drawn, known.map(|value| bits(Some(value))));
    }
    let count = |name: &str, status: &str, unit: &str| {
        let flow = rows(&figures, "flow");
        let found = flow
            .iter()
            .find(|row| row["box"] == name && row["status"] == status && row["unit"] == unit);
        found.map(|row| row["count"].parse::<u64>().unwrap())
    };
    let sum = report.participants;
    assert_eq!(count("dispatched", "", "sites"), Some(8));
    for status in ["insufficient", "refused", "failed", "missing"] {
        assert_eq!(count("without_results", status, "sites"), Some(1), "{status}");
    }
    assert_eq!(count("with_results", "", "sites"), Some(4));
    assert_eq!(count("not_analysed", "", "patients"), Some(48));
    assert_eq!(count("not_analysed", "", "withheld_numbers"), Some(4));
    assert_eq!(count("analysed", "", "cases"), Some(sum.n));
    assert_eq!(count("with_condition", "", "cases"), sum.n_pos);
    assert_eq!(count("without_condition", "", "cases"), sum.n_neg);
}

#[test]
fn the_flow_at_a_site_holds_its_own_numbers() {
    let report = report(&plan(), &all_answers(&plan()));
    let figures = figures(&report);
    let drawn: Vec<&str> =
        ids(&figures, ".svg").into_iter().filter(|id| id.starts_with("flow-")).collect();
    assert_eq!(drawn, ["flow-site-a", "flow-site-b", "flow-site-c", "flow-site-f"]);
    for id in drawn {
        let name = id.strip_prefix("flow-").unwrap();
        let site = report.sites.iter().find(|site| site.id.as_str() == name).unwrap();
        let flow = rows(&figures, id);
        let count = |name: &str, status: &str, unit: &str| {
            let found = flow
                .iter()
                .find(|row| row["box"] == name && row["status"] == status && row["unit"] == unit);
            found.map(|row| row["count"].parse::<u64>().unwrap())
        };
        assert_eq!(count("analysed", "", "patients").as_ref(), site.patients.value());
        assert_eq!(count("analysed", "", "cases").as_ref(), site.n.value());
        assert_eq!(count("with_condition", "", "cases").as_ref(), site.n_pos.value());
        assert_eq!(count("without_condition", "", "cases").as_ref(), site.n_neg.value());
        assert_eq!(count("not_analysed", "undecodable", "patients"), Some(12));
        assert_eq!(count("not_analysed", "other", "withheld_numbers"), Some(1));
        let picture = &figures[&format!("figures/{id}.svg")];
        for text in [name, "image could not be decoded: 12", "other reasons: withheld"] {
            assert!(picture.contains(&format!(">{text}</text>")), "{id}: {text}");
        }
    }
}

#[test]
fn of_many_sites_the_flows_are_those_of_the_least_favourable() {
    let figures = figures(&report(&plan(), &many(&plan())));
    let drawn = ids(&figures, ".svg").into_iter().filter_map(|id| id.strip_prefix("flow-"));
    let mut drawn: Vec<String> = drawn.map(str::to_owned).collect();
    drawn.sort();
    let forest = rows(&figures, "forest-auroc");
    let ranked = marked(&forest, "site").into_iter().map(|row| row["site"].clone());
    let mut worst: Vec<String> = ranked.take(12).collect();
    worst.sort();
    assert_eq!(drawn, worst);
}

#[test]
fn the_pooled_calibration_line_goes_through_the_pooled_coefficients() {
    let report = report(&plan(), &all_answers(&plan()));
    let figures = figures(&report);
    let rows = rows(&figures, "calibration");
    let [fit] = marked(&rows, "pooled_fit")[..] else { panic!("{rows:?}") };
    let pooled = |id: &str| report.synthesis_of(&id.parse().unwrap()).unwrap().estimate;
    let (intercept, slope) = (pooled("calibration_intercept"), pooled("calibration_slope"));
    let found = [&fit["intercept"], &fit["slope"]].map(|cell| bits(number(cell)));
    assert_eq!(found, [intercept, slope].map(|value| bits(Some(value))));
    let curve = marked(&rows, "pooled_curve");
    assert_eq!(curve.len(), 47);
    for row in curve {
        let [x, y] = [&row["predicted"], &row["observed"]].map(|cell| number(cell).unwrap());
        let odds = (intercept + slope * (x / (1.0 - x)).ln()).exp();
        assert!((y - odds / (1.0 + odds)).abs() < 1e-9, "{row:?}");
        assert!(row["lower"].is_empty() && row["upper"].is_empty(), "it has no band");
    }
    let one = [answers(&plan()).remove(0)].into();
    let alone = self::figures(&self::report(&plan(), &one));
    assert!(marked(&self::rows(&alone, "calibration"), "pooled_fit").is_empty());
}

#[test]
fn a48_a_name_that_looks_like_a_formula_is_text_in_a_figure_s_data() {
    let mut plan = plan();
    plan.operating_points[1].name = "-1".parse().unwrap();
    let mut answers = answers(&plan);
    answers[0].0 = "-2";
    let figures = figures(&report(&plan, &answers));
    let forest = rows(&figures, "forest-auroc");
    assert!(forest.iter().any(|row| row["site"] == "'-2"));
    assert_eq!(rows(&figures, "calibration")[0]["site"], "'-2");
    let roc = rows(&figures, "roc-space");
    assert!(roc.iter().any(|row| row["operating_point"] == "'-1" && row["site"] == "'-2"));
    assert!(rows(&figures, "decision-curve").iter().any(|row| row["operating_point"] == "'-1"));
    let intercept = rows(&figures, "calibration")
        .into_iter()
        .find(|row| number(&row["intercept"]).is_some_and(|intercept| intercept < 0.0));
    assert!(intercept.is_some(), "a negative number stays one");
    let texts = ["site", "operating_point", "mark", "box", "status", "unit", "reason"];
    for id in ids(&figures, ".csv") {
        for (column, cell) in rows(&figures, id).into_iter().flatten() {
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            let is_number = !texts.contains(&column.as_str()) && cell.parse::<f64>().is_ok();
            assert!(!formula || is_number, "{id}: {column} {cell}");
        }
    }
}
