//! What a manifest may not ask for.

use fedval_disclosure::Withheld;
use fedval_disclosure::rules::dc08_curves::{Bin, merged};
use fedval_study::draft::Draft;
use fedval_study::protocol::OperatingPoint;
use fedval_study::{LockedProtocol, MetricId};

use crate::scene::{Site, ample, protocol, study};

fn refusal(text: &str) -> String {
    Draft::parse(text).unwrap_err().to_string()
}

#[test]
fn a06_ten_thousand_thresholds_are_refused() {
    for (thresholds, rule) in [(10_000_u32, "more than 1000 entries"), (900, "DC-08")] {
        let mut asked = protocol();
        asked.operating_points = (0..thresholds)
            .map(|index| OperatingPoint {
                name: format!("t{index}").parse().unwrap(),
                threshold: 0.0001 + f64::from(index) * 0.000_09,
            })
            .collect();
        let refused = LockedProtocol::new(asked).unwrap_err().to_string();
        assert!(refused.contains(rule), "every site refuses it too: {refused}");
    }
    let point = |i: u32| format!("[[operating_points]]\nname = \"t{i}\"\nthreshold = 0.{i}\n");
    let points: String = (30..50).map(point).collect();
    let text = study().replacen("[[operating_points]]", &(points + "[[operating_points]]"), 1);
    assert!(refusal(&text).contains("DC-08"));
}

#[test]
fn a07_cut_offs_around_a_target_score_are_refused() {
    let text = study().replace("threshold = 0.5", "threshold = 0.200000001");
    assert!(refusal(&text).contains("log-odds"), "{}", refusal(&text));
    let apart = study().replace("threshold = 0.5", "threshold = 0.21");
    assert!(Draft::parse(&apart).is_ok());
}

#[test]
fn a08_sparse_bins_are_merged_until_each_holds_k_of_each_label() {
    let bins: Vec<Bin> = [(0, 90), (3, 60), (1, 30), (9, 12), (14, 4), (22, 1), (40, 0), (12, 15)]
        .map(|(positives, negatives)| Bin { positives, negatives })
        .to_vec();
    let curve = merged(&bins, 11);
    assert!(curve.len() > 1, "{curve:?}");
    assert!(curve.iter().all(|bin| bin.holds.positives >= 11 && bin.holds.negatives >= 11));
    let sum = |of: fn(&Bin) -> u64| bins.iter().map(of).sum::<u64>();
    assert_eq!(curve.iter().map(|bin| bin.holds.positives).sum::<u64>(), sum(|bin| bin.positives));
    assert_eq!(curve.iter().map(|bin| bin.holds.negatives).sum::<u64>(), sum(|bin| bin.negatives));
    let joined = curve.windows(2).all(|pair| pair[0].last + 1 == pair[1].first);
    assert!(joined && curve[0].first == 0 && curve[curve.len() - 1].last == bins.len() - 1);
    assert_eq!(curve, merged(&bins, 11), "the same bins give the same curve");
}

#[test]
fn a11_extremes_and_single_cases_have_no_name() {
    for metric in ["min", "max", "range", "worst_case", "hd95_max", "outliers", "case_scores"] {
        assert!(metric.parse::<MetricId>().is_err(), "{metric} has a name");
        let text = study().replace("metric = \"auroc\"", &format!("metric = \"{metric}\""));
        assert!(refusal(&text).contains("metric"));
    }
}

#[test]
fn a17_negations_dates_and_attributes_that_the_site_does_not_list_are_refused() {
    for (change, by) in [
        ("not = [\"f\"]", "values = [\"f\"]"),
        ("values = [\"2026-01-31\"]", "values = [\"f\"]"),
        ("values = [\"20260131\"]", "values = [\"f\"]"),
    ] {
        assert!(Draft::parse(&study().replace(by, change)).is_err(), "{change} was taken");
    }
    let dated = study().replace("column = \"sex\"", "column = \"study_date\"");
    assert!(refusal(&dated).contains("DC-16"));
    let day = "bands = [{ name = \"day\", from = 20260131, below = 20260201 }, \
               { name = \"later\", from = 20260201, below = 20270101 }]";
    let (head, tail) = around_sex(&study());
    assert!(refusal(&format!("{head}{day}\n{tail}")).contains("DC-16"));
    let site = Site::with("standard;subgroup_attributes = [\"scanner\"]");
    let refused = site.vet("m", &ample());
    assert!(matches!(refused, Err(Withheld::Attribute { attribute }) if attribute == "sex"));
    let listed = Site::with("standard;subgroup_attributes = [\"scanner\", \"sex\"]");
    assert!(listed.vet("m", &ample()).is_ok());
}

/// The study before and after the categories of `sex`.
fn around_sex(study: &str) -> (String, String) {
    let begin = study.find("column = \"sex\"").unwrap() + "column = \"sex\"\n".len();
    let end = begin + study[begin..].find("[[crossings]]").unwrap();
    (study[..begin].to_owned(), study[end..].to_owned())
}

#[test]
fn crossings_close_no_circle_and_have_their_own_names() {
    assert_eq!(protocol().tables().len(), 3);
    let twice = study().replace(
        "[[crossings]]",
        "[[crossings]]\nname = \"again\"\nrows = \"scanner\"\ncolumns = \"sex\"\n[[crossings]]",
    );
    assert!(refusal(&twice).contains("circle"));
    let named = study().replace("name = \"both\"", "name = \"sex\"");
    assert!(refusal(&named).contains("two tables"));
    let unknown = study().replace("rows = \"sex\"", "rows = \"age\"");
    assert!(refusal(&unknown).contains("names no dimension"));
}
