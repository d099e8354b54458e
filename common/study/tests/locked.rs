//! What is a locked protocol, and what only looks like one.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use fedval_study::protocol::LockError;
use fedval_study::{Canonical, LockedProtocol, Sha256Digest};
use serde_json::{Value, json};
use support::{locked, protocol};

/// The canonical bytes of the protocol after `change` to its JSON.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(locked().bytes()).unwrap();
    change(&mut document);
    Canonical::new(document).unwrap().bytes().to_vec()
}

#[test]
fn a_protocol_survives_its_bytes_and_its_digest_is_theirs() {
    let locked = locked();
    let read = LockedProtocol::parse(locked.bytes()).unwrap();
    assert_eq!(read, locked);
    assert_eq!(read.protocol(), &protocol());
    assert_eq!(read.digest().0, Sha256Digest::of(locked.bytes()));
    assert_eq!(changed(|_| ()), locked.bytes(), "the test's own way there and back");
}

/// Two lists of a document of a few hundred kibibytes would cross to a hundred million cells.
#[test]
fn lists_that_would_take_hours_are_refused_for_their_length() {
    let categories = |letter: char, count: usize| -> Value {
        let category = |index| json!({ "name": format!("{letter}{index}"), "values": [format!("{letter}{index}")] });
        (0..count).map(category).collect()
    };
    let dimension = |letter: char, count| {
        json!({ "name": letter.to_string(), "source": { "column": letter.to_string() },
                "grouping": { "categories": categories(letter, count) } })
    };
    for (count, why) in [(10_000, "more than 1000 entries"), (900, "more than 10000 cells")] {
        let bytes = changed(|document| {
            document["subgroups"] = json!([dimension('a', count), dimension('b', count)]);
            document["crossings"] = json!([{ "name": "ab", "rows": "a", "columns": "b" }]);
        });
        let refused = LockedProtocol::parse(&bytes).unwrap_err();
        assert!(
            matches!(&refused, LockError::BreaksRule(rule) if rule.contains(why)),
            "{refused:?}"
        );
    }
    let point = json!({ "name": "point", "threshold": 0.5 });
    let bytes = changed(|document| document["operating_points"] = vec![point; 2_000].into());
    let refused = LockedProtocol::parse(&bytes).unwrap_err();
    assert!(
        matches!(&refused, LockError::BreaksRule(rule) if rule.contains("entries")),
        "{refused:?}"
    );
}

#[test]
fn the_same_protocol_in_another_form_is_refused() {
    let canonical = String::from_utf8(locked().bytes().to_vec()).unwrap();
    let pretty: Value = serde_json::from_str(&canonical).unwrap();
    for other in [
        format!("{canonical}\n"),
        format!(" {canonical}"),
        canonical.replacen(':', ": ", 1),
        canonical.replace("\"level\":0.95", "\"level\":0.950"),
        canonical.replace("\"version\":1", "\"version\":1,\"version\":1"),
        serde_json::to_string_pretty(&pretty).unwrap(),
    ] {
        assert_ne!(other, canonical);
        let refused = LockedProtocol::parse(other.as_bytes()).unwrap_err();
        assert!(matches!(refused, LockError::NotAProtocol(_)), "{refused:?}: {other}");
    }
}

#[test]
fn a_field_that_the_schema_does_not_know_is_refused() {
    for change in [
        |d: &mut Value| d["note"] = json!("rides along"),
        |d: &mut Value| d["model"]["url"] = json!("https://elsewhere"),
        |d: &mut Value| d["endpoints"][0]["secret"] = json!(1),
        |d: &mut Value| drop(d.as_object_mut().unwrap().remove("analysis")),
        |d: &mut Value| d["id"] = json!("Not An Id"),
        |d: &mut Value| d["endpoints"][0]["metric"] = json!("hausdorff_max"),
    ] {
        let refused = LockedProtocol::parse(&changed(change)).unwrap_err();
        assert!(matches!(refused, LockError::NotAProtocol(_)), "{refused:?}");
    }
    assert!(LockedProtocol::parse(b"").is_err());
}

#[test]
fn another_schema_is_unknown() {
    for schema in ["fedval.protocol/2", "", "fedval.protocol/1 "] {
        let bytes = changed(|d| d["schema"] = json!(schema));
        let refused = LockedProtocol::parse(&bytes).unwrap_err();
        assert!(matches!(refused, LockError::UnknownSchema), "{refused:?}");
    }
}

#[test]
fn a_protocol_that_breaks_a_rule_is_refused_by_the_path() {
    let refused = |change: fn(&mut Value)| match LockedProtocol::parse(&changed(change)) {
        Err(LockError::BreaksRule(rule)) => rule.split(':').next().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(|d| d["disclosure"]["k"] = json!(4)), "disclosure.k");
    assert_eq!(refused(|d| d["version"] = json!(0)), "version");
    assert_eq!(refused(|d| d["id"] = json!("a".repeat(53))), "id");
    assert_eq!(refused(|d| d["endpoints"] = json!([])), "endpoints");
    assert_eq!(refused(|d| d["endpoints"][0]["limit"] = json!(1.5)), "endpoints[0].limit");
    assert_eq!(refused(|d| d["endpoints"][0]["metric"] = json!("ece")), "endpoints[0].metric");
    assert_eq!(
        refused(|d| d["operating_points"][1]["name"] = json!("rule-out")),
        "operating_points[1].name"
    );
    assert_eq!(
        refused(|d| d["operating_points"][0]["threshold"] = json!(1)),
        "operating_points[0].threshold"
    );
    assert_eq!(
        refused(|d| {
            let point = d["operating_points"][0].clone();
            let many = (0..21).map(|number| {
                let mut point = point.clone();
                point["name"] = json!(format!("point-{number}"));
                point
            });
            d["operating_points"] = many.collect();
        }),
        "operating_points"
    );
    assert_eq!(refused(|d| d["analysis"]["unit"] = json!("patient")), "analysis.combine");
    assert_eq!(
        refused(|d| d["subgroups"][0]["source"] = json!({ "dicom": "PatientName" })),
        "subgroups[0].dicom"
    );
    assert_eq!(refused(|d| d["model"]["input"]["channels"] = json!(2)), "model.input.channels");
}

#[test]
fn a48_a_text_that_is_not_what_it_looks_like_is_refused_where_it_arrives() {
    let refused = |change: &dyn Fn(&mut Value)| match LockedProtocol::parse(&changed(change)) {
        Err(LockError::BreaksRule(rule)) => rule.split(':').next().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    for text in ["\u{1b}[2J", "met\u{202e}ton", "a\u{200b}b", "a\rb", "\u{9b}31m", "a\u{2028}b"] {
        assert_eq!(refused(&|d| d["title"] = json!(text)), "title", "{text:?}");
        assert_eq!(refused(&|d| d["model"]["name"] = json!(text)), "model.name");
        assert_eq!(
            refused(&|d| d["reference_standard"]["positive"] = json!([text])),
            "reference_standard"
        );
        assert_eq!(
            refused(&|d| d["subgroups"][0]["source"] = json!({ "column": text })),
            "subgroups[0]"
        );
    }
    assert_eq!(refused(&|d| d["eligibility"] = json!("x".repeat(2_001))), "eligibility");
    let lines = changed(|d| d["eligibility"] = json!("adults\nof any age – 肺炎"));
    assert!(LockedProtocol::parse(&lines).is_ok());
}

#[test]
fn locking_checks_the_same_rules() {
    let mut lax = protocol();
    lax.disclosure.k = 1;
    assert!(matches!(LockedProtocol::new(lax), Err(LockError::BreaksRule(_))));
    let mut endless = protocol();
    endless.model.input.mean = f64::NAN;
    assert!(LockedProtocol::new(endless).is_err(), "a number that is none has no canonical form");
}
