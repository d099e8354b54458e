//! What guidelines ask for stands where the cross-walk says that it does.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;
mod tasks;
mod vetted;

use consortium::{Answers, all_answers, answers, documents, plan};
use fedval_report::crosswalk::{Found, GUIDELINES, Passage, Row, Section};
use fedval_report::{Report, assemble, render_html};
use fedval_study::protocol::StudyProtocol;
use fedval_study::{MetricId, Outcome};
use serde_json::Value;

const OPENED: i64 = 1_760_000_000_000;

const SECTIONS: [Section; 9] = [
    Section::Head,
    Section::Verdicts,
    Section::Summary,
    Section::Participants,
    Section::Performance,
    Section::Synthesis,
    Section::Subgroups,
    Section::Limits,
    Section::Provenance,
];

fn report(plan: &StudyProtocol, answers: &Answers) -> Report {
    let (protocol, round, results) = documents(plan, answers, OPENED);
    assemble(&protocol, &round, &results).unwrap()
}

/// What stands under an anchor.
fn section<'h>(page: &'h str, anchor: &str) -> &'h str {
    let at = page.find(&format!(" id=\"{anchor}\"")).unwrap_or_else(|| panic!("no {anchor}"));
    let begin = page[..at].rfind("<section").max(page[..at].rfind("<header")).unwrap();
    let whole = &page[begin..];
    let end = ["</section>", "</header>"].into_iter().filter_map(|tag| whole.find(tag)).min();
    &whole[..end.unwrap()]
}

/// Holds every item of every guideline against the page; how many the page answers.
fn check(plan: &StudyProtocol, answers: &Answers, name: &str) -> usize {
    let report = report(plan, answers);
    let page = render_html(&report, &[]).unwrap();
    let protocol: Value = serde_json::to_value(plan).unwrap();
    let table = section(&page, "crosswalk");
    let mut answered = 0;
    for guideline in &GUIDELINES {
        for row in guideline.rows(&report) {
            let item = format!("{name}, {} {}", guideline.name, row.id);
            match row.answer {
                Found::Printed { passage, words } => {
                    answered += 1;
                    let of = passage.section();
                    let text = section(&page, of.anchor());
                    let heading = format!("<h2 id=\"{}\">{}</h2>", of.anchor(), of.title());
                    assert!(of == Section::Head || text.contains(&heading), "{item}: {heading}");
                    assert!(text.contains(words), "{item}: no {words:?} under {}", of.title());
                    let link = format!("<a href=\"#{}\">{}</a>", of.anchor(), of.title());
                    assert!(table.contains(&format!("{link}: {}", passage.about())), "{item}");
                }
                Found::Protocol(clause) => {
                    let pointer = format!("/{}", clause.path().replace('.', "/"));
                    let stated = protocol.pointer(&pointer);
                    assert!(stated.is_some_and(Value::is_object), "{item}: no {pointer}");
                    let digest = protocol_digest(&report);
                    assert!(section(&page, "provenance").contains(&digest), "{item}");
                }
                Found::NotHere(why) => assert!(why.len() > 10, "{item} without a reason"),
            }
        }
    }
    answered
}

fn protocol_digest(report: &Report) -> String {
    format!("<code>{}</code>", report.study.protocol_digest)
}

fn item(report: &Report, guideline: &str, id: &str) -> Row {
    let of = GUIDELINES.iter().find(|of| of.name == guideline).unwrap();
    of.rows(report).find(|row| row.id == id).unwrap()
}

fn passage(row: Row) -> Option<Passage> {
    match row.answer {
        Found::Printed { passage, .. } => Some(passage),
        Found::Protocol(_) | Found::NotHere(_) => None,
    }
}

#[test]
fn every_item_is_answered_where_it_is_linked_to() {
    let whole = check(&plan(), &all_answers(&plan()), "all answers");
    let mut bare = plan();
    bare.subgroups.clear();
    bare.operating_points.clear();
    bare.eligibility.clear();
    bare.endpoints.retain(|endpoint| endpoint.metric == MetricId::Auroc);
    let without = check(&bare, &answers(&bare), "bare");
    let nobody: Answers = vec![("site-a", Some(Outcome::Insufficient)), ("site-b", None)];
    let silent = check(&plan(), &nobody, "nobody released");
    let one = vec![answers(&plan()).remove(0)];
    check(&plan(), &one, "one site");
    assert!(silent < whole && without < whole, "{silent}, {without}, {whole}");
}

#[test]
fn every_item_is_answered_where_it_is_linked_to_in_studies_of_other_tasks() {
    for study in tasks::studies() {
        check(&study.plan, &study.answers, study.task);
    }
}

/// Otherwise a passage that names the wrong section could still be found there.
#[test]
fn the_words_of_a_passage_stand_in_its_section_alone() {
    let report = report(&plan(), &all_answers(&plan()));
    let page = render_html(&report, &[]).unwrap();
    let rows = GUIDELINES.iter().flat_map(|guideline| guideline.rows(&report));
    for row in rows {
        let Found::Printed { passage, words } = row.answer else { continue };
        let holds = |of: &Section| section(&page, of.anchor()).contains(words);
        let found: Vec<Section> = SECTIONS.into_iter().filter(holds).collect();
        assert_eq!(found, [passage.section()], "{words}");
    }
}

#[test]
fn eligibility_and_reference_standard_are_printed_under_participants() {
    let given = report(&plan(), &answers(&plan()));
    let page = render_html(&given, &[]).unwrap();
    let participants = section(&page, "participants");
    for text in [
        "Eligibility: adults with a frontal chest radiograph.",
        "Reference standard: consensus of two radiologists, blinded to the index test.",
    ] {
        assert!(participants.contains(text), "{text}");
    }
    for (guideline, eligibility, reference) in
        [("TRIPOD+AI", "6b", "8a"), ("STARD-AI", "7", "16a"), ("CLAIM 2024", "8", "14")]
    {
        assert_eq!(passage(item(&given, guideline, eligibility)), Some(Passage::Eligibility));
        assert_eq!(passage(item(&given, guideline, reference)), Some(Passage::ReferenceStandard));
    }
    let mut silent = plan();
    silent.eligibility.clear();
    let silent = report(&silent, &answers(&silent));
    let row = item(&silent, "TRIPOD+AI", "6b");
    assert_eq!(row.answer, Found::NotHere("the protocol states no eligibility"));
    let page = render_html(&silent, &[]).unwrap();
    assert!(section(&page, "participants").contains("Eligibility: not stated in the protocol."));
}

#[test]
fn features_of_patients_are_their_mix_and_devices_are_left_to_the_sites() {
    let given = report(&plan(), &answers(&plan()));
    for (guideline, id) in [("TRIPOD+AI", "20b"), ("STARD-AI", "25"), ("CLAIM 2024", "36")] {
        assert_eq!(passage(item(&given, guideline, id)), Some(Passage::Mix), "{guideline} {id}");
    }
    for (guideline, id) in [("STARD-AI", "13"), ("CLAIM 2024", "13"), ("STARD-AI", "12")] {
        assert_eq!(passage(item(&given, guideline, id)), None, "{guideline} {id}");
    }
    let counts = item(&given, "STARD-AI", "30");
    assert_eq!(passage(counts).map(Passage::section), Some(Section::Performance));
}
