//! What people see.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;
#[path = "rendering/hostile.rs"]
mod hostile;
#[path = "rendering/paper.rs"]
mod paper;

use consortium::{all_answers, answers, documents, plan};
use fedval_report::{assemble, render, render_html};

const OPENED: i64 = 1_760_000_000_000;

fn page(plan: &fedval_study::StudyProtocol, answers: &consortium::Answers, name: &str) -> String {
    let (protocol, round, results) = documents(plan, answers, OPENED);
    let html = render_html(&assemble(&protocol, &round, &results).unwrap(), &[]).unwrap();
    // Kept beside the test's other output, for a person to look at.
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(path, &html).unwrap();
    html
}

#[test]
fn every_outcome_of_a_round_is_shown() {
    let html = page(&plan(), &all_answers(&plan()), "report-all.html");
    for word in ["insufficient", "refused", "failed", "missing", "withheld", "DC-02"] {
        assert!(html.contains(word), "{word} is not shown");
    }
}

#[test]
fn the_usual_round_renders() {
    page(&plan(), &answers(&plan()), "report.html");
}

#[test]
fn the_same_report_gives_the_same_page_without_anything_from_elsewhere() {
    let once = page(&plan(), &answers(&plan()), "report-again.html");
    assert_eq!(once, page(&plan(), &answers(&plan()), "report-again.html"));
    for forbidden in ["<script", "http://", "https://", "NaN", "inf", "src=", "@import", "url("] {
        let found = once.match_indices(forbidden).next();
        // "inf" stands inside words; as a number it would stand after a quote or a bracket.
        let is_word = forbidden == "inf";
        assert!(is_word || found.is_none(), "{forbidden}");
    }
    for number in ["\"inf", "(inf", ">inf", "-inf", "null"] {
        assert!(!once.contains(number), "{number}");
    }
}

#[test]
fn a_title_from_outside_stays_text() {
    let mut hostile = plan();
    hostile.title = "<script>alert('x')</script> & \"more\"".to_owned();
    hostile.target_condition = "<img src=x onerror=y>".to_owned();
    hostile.model.name = "</style><b>".to_owned();
    hostile.reference_standard.description = "{{ report }} <i>".to_owned();
    let html = page(&hostile, &answers(&hostile), "report-hostile.html");
    for markup in ["<script", "<img", "</style><b>", "<i>"] {
        assert!(!html.contains(markup), "{markup} got through");
    }
    assert!(html.contains("&#60;script&#62;") || html.contains("&lt;script&gt;"));
}

#[test]
fn small_cells_and_their_partners_read_alike() {
    let html = page(&plan(), &answers(&plan()), "report-withheld.html");
    assert!(html.contains("subgroup sex: female") && html.contains("subgroup sex: male"));
    assert_eq!(html.matches("DC-03 or DC-17").count(), 2);
    assert!(!html.contains(">S<") && !html.contains(">C<"));
    assert!(
        html.contains("direction of the bias is not known") || html.contains("not known either")
    );
}

/// A cell of a table of numbers.
fn cell(text: &str) -> String {
    format!("<td class=\"number\">{text}</td>")
}

#[test]
fn the_mix_of_patients_is_that_of_the_groups_that_sites_released() {
    let (protocol, round, results) = documents(&plan(), &answers(&plan()), OPENED);
    let report = assemble(&protocol, &round, &results).unwrap();
    let html = render_html(&report, &[]).unwrap();
    let table = html.split("Mix of patients by sex").nth(1).unwrap();
    let table = table.split("</table>").next().unwrap();
    let of = |group: usize, site: usize| {
        report.subgroups[group].sites[site].performance.released().unwrap().patients
    };
    // Half up, by counting.
    let percent =
        |part: u64, whole: u64| (1..=100).take_while(|p| (2 * p - 1) * whole <= 200 * part).count();
    let with_share = |part: u64, whole: u64| cell(&format!("{part} ({}%)", percent(part, whole)));
    let [a, c] = [0, 2].map(|site| *report.sites[site].patients.value().unwrap());
    let row =
        |head: &str, cells: [String; 3]| format!("<th scope=\"row\">{head}</th>{}", cells.concat());
    for expected in [
        row("site-a", [cell("240"), with_share(of(0, 0), a), with_share(of(1, 0), a)]),
        row("site-b", [cell("320"), cell("withheld"), cell("withheld")]),
        row("site-c", [cell("410"), with_share(of(0, 2), c), with_share(of(1, 2), c)]),
        row(
            "All",
            [
                cell("970"),
                with_share(of(0, 0) + of(0, 2), a + c),
                with_share(of(1, 0) + of(1, 2), a + c),
            ],
        ),
    ] {
        assert!(table.contains(&expected), "{expected}\nin {table}");
    }
    assert!(table.contains("Least to largest share") && html.contains("Mix of patients by age"));
    let participants =
        html.find("id=\"participants\"").unwrap()..html.find("id=\"performance\"").unwrap();
    assert!(participants.contains(&html.find("Mix of patients by sex").unwrap()));
}

#[test]
fn calibration_over_all_sites_stands_beside_that_of_each() {
    let (protocol, round, results) = documents(&plan(), &answers(&plan()), OPENED);
    let report = assemble(&protocol, &round, &results).unwrap();
    let html = render_html(&report, &[]).unwrap();
    let section = html.split("<h2 id=\"calibration\">").nth(1).unwrap();
    let section = section.split("</section>").next().unwrap();
    for (id, name) in [
        ("oe_ratio", "Observed : expected"),
        ("calibration_in_the_large", "Calibration in the large"),
        ("calibration_slope", "Calibration slope"),
        ("calibration_intercept", "Calibration intercept"),
    ] {
        let pooled = report.synthesis_of(&id.parse().unwrap()).unwrap();
        let sign = if pooled.estimate <= -0.005 { "−" } else { "" };
        let mean = format!("{sign}{:.2} <span class=\"ci\">(", pooled.estimate.abs());
        let row = format!(
            "<th scope=\"row\">{name}</th><td class=\"number\">3</td><td class=\"number\">{mean}"
        );
        assert!(section.contains(&row), "{row}");
    }
    assert!(section.contains("no curve of all cases together can be drawn"));
    assert!(section.contains(">Pooled</text>"), "the pooled line is drawn");
}

#[test]
fn degenerate_rounds_still_render() {
    use fedval_study::Outcome;
    let plan = plan();
    let one = consortium::released(&plan, cohort::Recipe::default());
    let two = consortium::released(&plan, cohort::Recipe { seed: 2, ..cohort::Recipe::default() });
    let perfect = cohort::Recipe { seed: 5, separation: 22.0, ..cohort::Recipe::default() };
    let perfect = consortium::released(&plan, perfect);
    for (name, sites) in [
        ("none.html", vec![("site-a", Some(Outcome::Insufficient)), ("site-b", None)]),
        ("nobody.html", vec![]),
        ("one.html", vec![("site-a", Some(one.clone()))]),
        ("two.html", vec![("site-a", Some(one)), ("site-b", Some(two.clone()))]),
        ("perfect.html", vec![("site-a", Some(perfect)), ("site-b", Some(two))]),
    ] {
        let html = page(&plan, &sites, name);
        assert!(html.contains("Inconclusive"), "{name}");
        assert!(!html.contains("NaN"), "{name}");
    }
}

#[test]
fn a_study_without_subgroups_and_operating_points_renders() {
    let mut bare = plan();
    bare.subgroups.clear();
    bare.operating_points.clear();
    bare.endpoints.retain(|endpoint| endpoint.metric == fedval_study::MetricId::Auroc);
    let html = page(&bare, &answers(&bare), "report-bare.html");
    assert!(!html.contains("id=\"subgroups\"") && html.contains("id=\"synthesis\""));
}

#[test]
fn an_open_round_is_called_interim() {
    let (protocol, mut round, results) = documents(&plan(), &answers(&plan()), OPENED);
    round.closed_at_ms = None;
    let report = assemble(&protocol, &round, &results).unwrap();
    // The last answer that was recorded, four hours after the round was opened.
    assert_eq!(report.round.as_of, "2025-10-09T12:53:20Z");
    assert!(render_html(&report, &[]).unwrap().contains("interim"));
}

#[test]
fn a_site_where_every_case_is_called_positive_is_named_in_the_summary() {
    let plan = plan();
    let shifted = cohort::Recipe { seed: 41, shift: 9.0, ..cohort::Recipe::default() };
    let sites: consortium::Answers = vec![
        ("site-a", Some(consortium::released(&plan, cohort::Recipe::default()))),
        ("site-b", Some(consortium::released(&plan, shifted))),
    ];
    let html = page(&plan, &sites, "report-one-sided.html");
    assert!(
        html.contains("At site-b every case was called positive at the threshold of balanced.")
    );
    assert!(!html.contains("At site-a every case"));
}

/// Every form, kept for a person to look at.
fn forms(plan: &fedval_study::StudyProtocol, answers: &consortium::Answers, name: &str) -> Forms {
    let (protocol, round, results) = documents(plan, answers, OPENED);
    let forms = render(&assemble(&protocol, &round, &results).unwrap(), &[]).unwrap();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    for (path, bytes) in &forms {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    forms
}

type Forms = std::collections::BTreeMap<String, Vec<u8>>;

#[test]
fn every_form_is_the_same_for_the_same_report() {
    let once = forms(&plan(), &all_answers(&plan()), "forms");
    assert_eq!(once, forms(&plan(), &all_answers(&plan()), "forms-again"));
}

#[test]
fn tables_hold_every_site_metric_and_reason() {
    let forms = forms(&plan(), &all_answers(&plan()), "forms-tables");
    let table =
        |name: &str| String::from_utf8(forms[&format!("tables/{name}.csv")].clone()).unwrap();
    let (sites, metrics) = (table("sites"), table("metrics"));
    assert!(sites.starts_with("site,status,patients,"));
    for status in ["released", "insufficient", "refused", "failed", "missing"] {
        assert!(sites.contains(&format!(",{status},")), "{status} in {sites}");
    }
    assert!(metrics.contains("\r\nsite-a,auroc,0."));
    for (name, table) in &forms {
        if !name.starts_with("tables/") {
            continue;
        }
        let table = String::from_utf8(table.clone()).unwrap();
        let fields = |line: &str| line.matches(',').count();
        let mut lines = table.lines();
        let columns = fields(lines.next().unwrap());
        let quoted = |line: &&str| !line.contains('"');
        assert!(lines.filter(quoted).all(|line| fields(line) == columns), "{name}: {table}");
    }
}
