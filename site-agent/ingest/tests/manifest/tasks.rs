//! What labels and scores are, task by task.

use fedval_ingest::{Case, IndexTest, IndexTestColumn};
use fedval_study::protocol::{Assessed, Condition, Quantity, Reference, Task};

use super::{codes, grades, read_classes};

#[test]
fn a_table_of_several_classes_has_a_column_for_each() {
    let manifest = "case_id,patient_id,p_2,p_0,p_1,label\n\
                    c1,p1,0.1,0.7,0.2,0\nc2,p2,,0.5,0.5,1\nc3,p3,0.8,0.1,0.1,\n";
    let column = || IndexTestColumn::Score("p".to_owned());
    let cohort = read_classes(&grades(), column(), manifest).unwrap();
    let cases: Vec<Case> = cohort.open_on_site().cases().collect();
    let expected = [Some(vec![0.7, 0.2, 0.1]), None, Some(vec![0.1, 0.1, 0.8])];
    for (case, expected) in cases.iter().zip(expected) {
        assert!(case.index_test == IndexTest::Scores(expected));
    }
    let references: Vec<_> = cases.iter().map(|case| case.reference).collect();
    assert_eq!(references, [Some(Reference::Class(0)), Some(Reference::Class(1)), None]);
    let error = read_classes(&grades(), column(), &manifest.replace("p_2", "q_2")).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_COLUMN_MISSING", None)]);
}

#[test]
fn a_called_grade_stands_for_all_of_the_score_and_is_not_enough_where_classes_have_no_order() {
    let manifest = "case_id,patient_id,device,label\nc1,p1,2,1\nc2,p2,,0\n";
    let column = || IndexTestColumn::Called("device".to_owned());
    let cohort = read_classes(&grades(), column(), manifest).unwrap();
    let cases: Vec<Case> = cohort.open_on_site().cases().collect();
    assert!(cases[0].index_test == IndexTest::Scores(Some(vec![0.0, 0.0, 1.0])));
    assert!(cases[1].index_test == IndexTest::Scores(None));
    let unknown = manifest.replace("p1,2", "p1,7");
    let error = read_classes(&grades(), column(), &unknown).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_CALL_UNKNOWN", Some(2))]);
    let Task::Ordinal(classes) = grades() else { panic!("grades") };
    for task in [Task::MultiClass(classes), Task::Binary] {
        let error = read_classes(&task, column(), manifest).unwrap_err();
        assert_eq!(codes(&error), [("MANIFEST_SCORES_NEEDED", None)]);
    }
}

#[test]
fn the_label_of_a_quantity_is_a_number() {
    let task = Task::Regression(Quantity {
        grid_micro: 100_000,
        largest_error_micro: 48_000_000,
        lower_micro: 0,
        name: "bone-age".parse().unwrap(),
        unit: "mo".to_owned(),
        upper_micro: 228_000_000,
    });
    let column = || IndexTestColumn::Score("months".to_owned());
    let manifest = "case_id,patient_id,months,label\n\
                    c1,p1,61.5,60\nc2,p2,,48.25\nc3,p3,1e9,\nc4,p4,-7,999\n";
    let cohort = read_classes(&task, column(), manifest).unwrap();
    let cases: Vec<Case> = cohort.open_on_site().cases().collect();
    let references: Vec<_> = cases.iter().map(|case| case.reference).collect();
    let value = |micro| Some(Reference::Value(micro));
    // Bounds are for whoever counts.
    assert_eq!(references, [value(60_000_000), value(48_250_000), None, value(999_000_000)]);
    assert!(cases[0].index_test == IndexTest::Score(Some(61.5)));
    assert!(cases[1].index_test == IndexTest::Score(None));
    for bad in ["NaN", "inf", "five years", "60 mo"] {
        let manifest = manifest.replace("61.5,60", &format!("61.5,{bad}"));
        let error = read_classes(&task, column(), &manifest).unwrap_err();
        assert_eq!(codes(&error), [("MANIFEST_LABEL_UNKNOWN", Some(2))], "{bad}");
        assert!(!error.to_string().contains(bad), "no cell is quoted");
    }
    let called = IndexTestColumn::Called("months".to_owned());
    let error = read_classes(&task, called, manifest).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_SCORES_NEEDED", None)]);
}

fn conditions() -> Task {
    let condition = |name: &str| Condition {
        name: name.parse().unwrap(),
        column: name.to_owned(),
        missing: vec!["u".to_owned()],
        negative: vec!["0".to_owned()],
        operating_points: Vec::new(),
        positive: vec!["1".to_owned()],
        prevalences: Vec::new(),
    };
    Task::MultiLabel(["effusion", "nodule"].map(condition).into())
}

#[test]
fn each_of_several_conditions_has_a_column_for_its_reference_and_one_for_its_score() {
    let column = || IndexTestColumn::Score("p".to_owned());
    let manifest = "case_id,patient_id,nodule,p_0,p_1,effusion\n\
                    c1,p1,1,0.9,0.8,0\nc2,p2,u,0.5,0.5,1\nc3,p3,,0.1,,u\n";
    let cohort = read_classes(&conditions(), column(), manifest).unwrap();
    let cases: Vec<Case> = cohort.open_on_site().cases().collect();
    let references: Vec<_> = cases.iter().map(|case| case.reference).collect();
    let nothing = Assessed::default();
    let expected = [
        Some(Reference::Conditions(nothing.with(0, false).with(1, true))),
        Some(Reference::Conditions(nothing.with(0, true))),
        // Assessed for none.
        None,
    ];
    assert_eq!(references, expected);
    assert!(cases[0].index_test == IndexTest::Scores(Some(vec![0.9, 0.8])));
    assert!(cases[2].index_test == IndexTest::Scores(None));
    for (from, to, code, line) in [
        ("c2,p2,u", "c2,p2,2", "MANIFEST_LABEL_UNKNOWN", Some(3)),
        (",effusion", ",fluid", "MANIFEST_COLUMN_MISSING", None),
        ("p_1", "p_2", "MANIFEST_COLUMN_MISSING", None),
    ] {
        let error = read_classes(&conditions(), column(), &manifest.replace(from, to)).unwrap_err();
        assert_eq!(codes(&error), [(code, line)], "{to}");
    }
}
