//! The versions of a protocol: which follows which, and what each changes.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use fedval_study::protocol::{Change, HistoryError, LockError, changes, follows};
use fedval_study::{LockedProtocol, ProtocolHistory, RoundId, StudyId, StudyProtocol};
use support::{locked, protocol};

/// The next version after `before`, with another title.
fn next(before: &LockedProtocol, title: &str) -> LockedProtocol {
    let plan = StudyProtocol { title: title.to_owned(), ..protocol() };
    LockedProtocol::new(plan.amending(before, " a slip of the pen ")).unwrap()
}

#[test]
fn a_version_follows_the_one_that_it_names_and_none_other() {
    let first = locked();
    let second = next(&first, "Second");
    let third = next(&second, "Third");
    assert_eq!(second.protocol().version, first.protocol().version + 1);
    assert_eq!(second.protocol().amends.as_ref().unwrap().reason, "a slip of the pen");
    assert!(follows(&first, &second) && follows(&second, &third));
    for (before, after) in [(&first, &third), (&second, &second), (&third, &second)] {
        assert!(!follows(before, after));
    }
    let history = ProtocolHistory::new(vec![first.clone(), second.clone(), third.clone()]).unwrap();
    assert_eq!(history.in_force(), &third);
    assert_eq!(history.earlier(), [first.clone(), second.clone()]);
    let refused = [
        (vec![], HistoryError::None),
        (vec![second.clone(), third.clone()], HistoryError::NotTheFirst { version: 2 }),
        (vec![first.clone(), third.clone()], HistoryError::DoesNotFollow { version: 3 }),
        (vec![first.clone(), second, first], HistoryError::DoesNotFollow { version: 1 }),
    ];
    for (versions, error) in refused {
        assert_eq!(ProtocolHistory::new(versions), Err(error));
    }
}

#[test]
fn another_study_is_no_version_of_this_one() {
    let first = locked();
    let id: StudyId = "elsewhere".parse().unwrap();
    let plan = StudyProtocol { id, ..protocol() };
    let other = LockedProtocol::new(plan.amending(&first, "why")).unwrap();
    assert!(!follows(&first, &other));
}

#[test]
fn every_change_is_told_where_it_stands_and_nothing_else() {
    let first = locked();
    let mut plan = protocol();
    plan.title = "Another".to_owned();
    plan.endpoints[0].limit += 0.01;
    let before = first.protocol().endpoints[0].limit;
    let name = plan.endpoints[0].name.clone();
    plan.eligibility = "Adults".to_owned();
    let removed = plan.subgroups.pop().unwrap();
    let second = LockedProtocol::new(plan.amending(&first, "why")).unwrap();
    let found = changes(&first, &second);
    let at = |path: &str| found.iter().find(|change| change.path == path).cloned();
    let limit = format!("endpoints[{name}].limit");
    let after = second.protocol().endpoints[0].limit;
    let expected = Change {
        path: limit.clone(),
        before: Some(before.to_string()),
        after: Some(after.to_string()),
    };
    assert_eq!(at(&limit), Some(expected));
    assert_eq!(at("eligibility").unwrap().after.as_deref(), Some("Adults"));
    assert_eq!(at("title").unwrap().before.as_deref(), Some(first.protocol().title.as_str()));
    let gone = format!("subgroups[{}]", removed.name);
    for change in &found {
        let is_expected = change.path.starts_with(&gone)
            || ["title", "eligibility", &limit].contains(&change.path.as_str());
        assert!(is_expected, "{change:?}");
    }
    assert!(found.iter().any(|change| change.path.starts_with(&gone) && change.after.is_none()));
    assert!(found.is_sorted_by(|one, other| one.path < other.path));
    assert_eq!(changes(&second, &second), []);
}

#[test]
fn an_amendment_has_a_reason_and_a_number() {
    let first = locked();
    for reason in ["", "  ", "\u{202e}why"] {
        let refused = LockedProtocol::new(protocol().amending(&first, reason));
        assert!(matches!(refused, Err(LockError::BreaksRule(_))), "{reason:?}");
    }
    let unnumbered = StudyProtocol { version: 1, ..protocol().amending(&first, "why") };
    assert!(matches!(LockedProtocol::new(unnumbered), Err(LockError::BreaksRule(_))));
}

#[test]
fn a_protocol_that_amends_nothing_says_nothing_of_it() {
    assert!(!String::from_utf8_lossy(locked().bytes()).contains("amends"));
}

#[test]
fn a_round_is_of_the_study_whose_number_it_bears() {
    let study: StudyId = "chest".parse().unwrap();
    let is_of = |round: &str| round.parse::<RoundId>().unwrap().is_of(&study);
    assert!(is_of("chest-r1") && is_of("chest-r12"));
    for round in ["chest-r1-r1", "chest-r01", "chest-r", "chest-2-r1", "ches-r1", "chestt-r1"] {
        assert!(!is_of(round), "{round}");
    }
}
