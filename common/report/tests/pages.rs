//! The page in plain language: what it says, and that it is one page; and the appendix of many sites.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;
mod tasks;
mod vetted;

use std::collections::BTreeMap;

use consortium::{Answers, answers, documents, plan};
use fedval_report::{
    Estimable, Gap, GapEstimate, Report, Verdict, VerdictResult, assemble, render_html, render_pdf,
};
use fedval_study::{MetricId, Outcome, SiteId, StudyProtocol};

const OPENED: i64 = 1_760_000_000_000;
const QUESTIONS: [&str; 5] = [
    "Where does the model work?",
    "Where does it not work, or not surely?",
    "For whom?",
    "How sure is this?",
    "What do the numbers mean?",
];
const LAST_OF_CERTAINTY: &str = "Numbers were computed at the hospitals and signed by them; whether their data are \
                                 right, no report can prove.";

/// What the page of the study [`small`] says, question by question.
const OF_THE_SMALL: [&[&str]; 5] = [
    &[
        "Nothing that the study asked beforehand was shown.",
        "Taken one by one, 2 of the 3 hospitals with results show AUROC of at least 0.80 beyond chance: site-a \
         and site-b.",
    ],
    &[
        "It remains open whether on average over hospitals AUROC is at least 0.80: values from 0.654 to 0.985 fit \
         the data.",
        "It remains open whether in a new hospital AUROC would be at least 0.75: values from 0.000 to 1.000 fit \
         the data.",
        "The verdict on 1 further endpoint is the same.",
        "The least favourable result is that of site-c: AUROC 0.835 (0.791–0.871).",
    ],
    &[
        "In 1 of 3 comparisons of groups no difference was found, and one of ten points would have been in at \
         least 80 of 100 such studies.",
        "In 2 of 3 comparisons of groups no difference was found, but one of ten points may well have gone unseen: \
         patients or hospitals are too few.",
        "The least favourable group is female (sex) at site-c: AUROC 0.805 (0.736–0.860).",
        "2 results of small groups were withheld to protect patients: nothing is known about them here.",
    ],
    &[
        "The answers rest on 970 patients in 3 of 5 hospitals asked.",
        "On average over 3 hospitals, AUROC is 0.917; averages from 0.654 to 0.985 fit the data (95% confidence \
         interval).",
        "In a hospital that took no part, AUROC from 0.000 to 1.000 is to be expected; it would be at least 0.80 \
         with a probability of 79%.",
        "With fewer than five sites the variance between sites is hardly known; the prediction interval is wide \
         for that reason.",
        LAST_OF_CERTAINTY,
    ],
    &[
        "AUROC is how often the model scores a case that has the condition higher than one that does not: 0.5 is \
         guessing, 1 is never wrong.",
        "Sensitivity is the share of cases with the condition that the model calls positive.",
    ],
];

/// What is told of the study of each task.
const OF_TASKS: [(&str, &str); 7] = [
    (
        "detection",
        "It was shown that on average over hospitals lesion sensitivity at call is below 60%, the least that was \
         asked.",
    ),
    (
        "multi_class",
        "It remains open whether on average over hospitals macro AUROC is at least 0.30: values from 0.214 to \
         1.000 fit the data.",
    ),
    ("multi_label", "It was shown that on average over hospitals macro AUROC is at least 0.60."),
    (
        "ordinal",
        "On average over 3 hospitals, quadratic weighted kappa is 0.913; averages from 0.760 to 1.000 fit the data \
         (95% confidence interval).",
    ),
    (
        "regression",
        "It remains open whether on average over hospitals mean absolute error is at most 8.00\u{a0}mo: values \
         from 3.92 to 11.69\u{a0}mo fit the data.",
    ),
    (
        "regression",
        "At 1 of the 3 hospitals with results mean absolute error was shown to be above 8.00\u{a0}mo: site-b.",
    ),
    (
        "segmentation",
        "At 1 of the 3 hospitals with results Dice coefficient was shown to be below 0.80: site-b.",
    ),
];

fn assembled(plan: &StudyProtocol, answers: &Answers) -> Report {
    let (protocol, round, results) = documents(plan, answers, OPENED);
    assemble(&protocol, &round, &results).unwrap()
}

/// The smallest study with a group in it: that of the golden packages.
fn small() -> StudyProtocol {
    let mut plan = plan();
    plan.subgroups.truncate(1);
    plan.operating_points.truncate(1);
    plan
}

/// Three hospitals of five, whose AUROC of 0.917 on average may be 0.654 to 0.985, held against one limit.
fn held_against(limit: f64) -> Report {
    let mut plan = small();
    plan.endpoints.truncate(1);
    plan.endpoints[0].limit = limit;
    assembled(&plan, &answers(&plan))
}

/// The page in plain language: its lead, and each question with its sentences.
fn told(report: &Report) -> (String, Vec<(String, Vec<String>)>) {
    let html = render_html(report, &[]).unwrap();
    let (_, page) = html.split_once("<section aria-labelledby=\"plain\"").unwrap();
    let (page, _) = page.split_once("</section>").unwrap();
    let (lead, answers) = page.split_once("<div class=\"answers\">").unwrap();
    let (_, lead) = lead.split_once("<p class=\"lead\"><bdi>").unwrap();
    let (lead, _) = lead.split_once("</bdi></p>").unwrap();
    let answer = |text: &str| {
        let (question, sentences) = text.split_once("</h3>").unwrap();
        let sentence = |line: &str| {
            let sentence = line.strip_prefix("<p>")?.strip_suffix("</p>")?;
            Some(sentence.replace("&#39;", "'"))
        };
        (question.to_owned(), sentences.lines().filter_map(sentence).collect())
    };
    (lead.to_owned(), answers.split("<h3>").skip(1).map(answer).collect())
}

/// The sentences under one of the questions.
fn answer(report: &Report, question: usize) -> Vec<String> {
    told(report).1.swap_remove(question).1
}

fn result(report: &Report) -> VerdictResult {
    report.verdicts[0].result
}

#[test]
fn a_limit_that_is_kept_is_told_with_the_hospitals_that_keep_it() {
    let report = held_against(0.3);
    assert_eq!(result(&report), VerdictResult::Met);
    assert_eq!(
        answer(&report, 0),
        [
            "It was shown that on average over hospitals AUROC is at least 0.30.",
            "Taken one by one, 3 of the 3 hospitals with results show AUROC of at least 0.30 beyond chance: site-a, \
             site-b and site-c.",
        ]
    );
    assert_eq!(
        answer(&report, 1),
        [
            "Everything that the study asked beforehand was shown.",
            "The least favourable result is that of site-c: AUROC 0.835 (0.791–0.871).",
        ]
    );
}

#[test]
fn a_limit_that_is_missed_is_told_with_the_hospitals_that_miss_it() {
    let report = held_against(0.9999);
    assert_eq!(result(&report), VerdictResult::NotMet);
    assert_eq!(
        answer(&report, 0),
        [
            "Nothing that the study asked beforehand was shown.",
            "Taken one by one, none of the 3 hospitals with results shows AUROC of at least 0.9999 beyond chance.",
        ]
    );
    assert_eq!(
        answer(&report, 1)[..2],
        [
            "It was shown that on average over hospitals AUROC is below 0.9999, the least that was asked.",
            "At 3 of the 3 hospitals with results AUROC was shown to be below 0.9999: site-a, site-b and site-c.",
        ]
    );
}

#[test]
fn an_inconclusive_study_reads_from_its_lead_to_what_its_numbers_mean() {
    let plan = small();
    let report = assembled(&plan, &answers(&plan));
    let (lead, page) = told(&report);
    assert_eq!(
        lead,
        "What the study “External validation of a pneumonia classifier on chest radiographs” says about the model \
         PneumoNet 3.1, as of 2025-10-19. Every number behind this page stands in the rest of the report."
    );
    for ((question, sentences), (asked, known)) in
        page.iter().zip(QUESTIONS.iter().zip(OF_THE_SMALL))
    {
        assert_eq!(question, asked);
        assert_eq!(sentences[..], *known);
    }
}

#[test]
fn found_differences_are_told_from_the_surest_on_and_the_others_counted() {
    let mut report = held_against(0.8);
    let (gap, found) = (report.gaps[0].clone(), *report.gaps[0].result.value().unwrap());
    let of = |p: f64, estimate: f64| Gap {
        result: Estimable::Estimated(GapEstimate {
            estimate,
            p_holm: Estimable::Estimated(p),
            ..found
        }),
        ..gap.clone()
    };
    report.gaps = vec![of(0.04, 0.01), of(0.001, -0.0512), of(0.2, 0.3), of(0.02, 0.0708)];
    let sentences = answer(&report, 2);
    assert_eq!(
        sentences[..4],
        [
            "By sex, AUROC is 0.051 lower for male than for female.",
            "By sex, AUROC is 0.071 higher for male than for female.",
            "By sex, AUROC is 0.010 higher for male than for female.",
            "In 1 of 4 comparisons of groups no difference was found, but one of ten points may well have gone unseen: \
             patients or hospitals are too few.",
        ]
    );
    report.gaps.extend([of(0.03, 0.1), of(0.03, 0.2)]);
    let counted = "2 further differences were found; the section on subgroups lists them all.";
    assert_eq!(answer(&report, 2)[3], counted);
    report.gaps.clear();
    assert_eq!(answer(&report, 2)[0], "The study did not compare groups of patients.");
}

#[test]
fn the_page_of_every_task_speaks_of_its_own_metric() {
    let pages: BTreeMap<&str, Vec<String>> = tasks::studies()
        .into_iter()
        .map(|study| {
            let report = assembled(&study.plan, &study.answers);
            let page = told(&report).1;
            assert!(page.iter().map(|(question, _)| question.as_str()).eq(QUESTIONS));
            (study.task, page.into_iter().flat_map(|(_, sentences)| sentences).collect())
        })
        .collect();
    for (task, sentence) in OF_TASKS {
        assert!(pages[task].iter().any(|told| told == sentence), "{task}: {:#?}", pages[task]);
    }
    for sentence in pages.values().flatten() {
        let begins =
            sentence.starts_with(|letter: char| letter.is_uppercase() || letter.is_numeric());
        let holds = |what: &str| sentence.contains(what);
        assert!(begins && sentence.ends_with('.'), "{sentence}");
        assert!(!holds("  ") && !holds("NaN") && !holds("inf "), "{sentence}");
    }
}

#[test]
fn of_one_hospital_or_none_the_page_claims_nothing_about_others() {
    let plan = small();
    let alone: Answers = answers(&plan).into_iter().take(1).collect();
    let report = assembled(&plan, &alone);
    let page: Vec<String> = told(&report).1.into_iter().flat_map(|(_, all)| all).collect();
    let holds = |what: &str| page.iter().any(|sentence| sentence.starts_with(what));
    assert!(holds("The only hospital with results is site-a: AUROC 0."), "{page:#?}");
    assert!(!holds("Taken one by one") && !holds("The least favourable result"), "{page:#?}");
    let nobody = assembled(&plan, &vec![("site-a", Some(Outcome::Insufficient))]);
    let (_, page) = told(&nobody);
    assert_eq!(page.len(), 1);
    assert!(page[0].1[0].starts_with("No hospital released a result"), "{page:?}");
}

/// So many hospitals: those of a report, again and again, under names as long as names can be.
fn crowd(mut report: Report, hospitals: usize) -> Report {
    let released: Vec<_> =
        report.sites.iter().filter(|site| !site.metrics.is_empty()).cloned().collect();
    report.sites = (0..hospitals)
        .map(|number| {
            let mut site = released[number % released.len()].clone();
            site.id = format!("{number:04}{}", "w".repeat(59)).parse().unwrap();
            site
        })
        .collect();
    let count = u64::try_from(hospitals).unwrap();
    (report.participants.sites.released, report.participants.sites.dispatched) = (count, count);
    report
}

/// A report in which every list of the page is longer than it tells, and every name as long as it may be.
fn longest() -> Report {
    let mut report = crowd(held_against(0.88), 1_000);
    let long = "w".repeat(63);
    let first = &mut report.verdicts[0];
    let site: SiteId = long.parse().unwrap();
    if let Estimable::Estimated(worst) = &mut first.worst_site {
        worst.site = site.clone();
    }
    if let Estimable::Estimated(worst) = &mut first.worst_subgroup {
        worst.site = site;
        (worst.dimension, worst.category) = (long.parse().unwrap(), long.parse().unwrap());
    }
    let results = [VerdictResult::Met, VerdictResult::NotMet, VerdictResult::Inconclusive];
    let further = |number: usize| {
        let point = long.parse().unwrap();
        let is_sensitivity = number.is_multiple_of(2);
        Verdict {
            endpoint: format!("endpoint-{number}").parse().unwrap(),
            metric: if is_sensitivity {
                MetricId::Sensitivity(point)
            } else {
                MetricId::Specificity(point)
            },
            result: results[number % 3],
            ..report.verdicts[0].clone()
        }
    };
    let further: Vec<Verdict> = (0..30).map(further).collect();
    report.verdicts.extend(further);
    let gap = |number: u32| {
        let mut gap = report.gaps[0].clone();
        (gap.dimension, gap.category) = (long.parse().unwrap(), long.parse().unwrap());
        gap.reference = long.parse().unwrap();
        if let Estimable::Estimated(found) = &mut gap.result {
            found.p_holm = Estimable::Estimated(f64::from(number) / 400.0);
            found.powered = number.is_multiple_of(2);
        }
        gap
    };
    report.gaps = (0..400).map(gap).collect();
    report.study.title = "W".repeat(2_000);
    report.model.name = "W".repeat(2_000);
    report
}

#[test]
fn with_a_thousand_hospitals_the_page_names_some_and_counts_the_others() {
    let report = longest();
    let (lead, page) = told(&report);
    assert!(lead.chars().count() < 500, "{lead}");
    let missed: Vec<&str> =
        page[1].1.iter().filter(|told| told.starts_with("At ")).map(String::as_str).collect();
    assert!(missed[0].starts_with("At 333 of the 1000 hospitals"), "{}", missed[0]);
    let (_, names) = missed[0].rsplit_once(": ").unwrap();
    assert!(names.split(", ").count() == 5 && names.ends_with(" and 328 more."), "{names}");
    let sentences: Vec<&String> = page.iter().flat_map(|(_, sentences)| sentences).collect();
    let letters: usize = sentences.iter().map(|sentence| sentence.chars().count()).sum();
    assert!(sentences.len() <= 36 && letters <= 7_000, "{} {letters}", sentences.len());
    let verdicts = "The verdict on 8 further endpoints is the same.";
    assert_eq!(sentences.iter().filter(|told| **told == verdicts).count(), 2, "{sentences:#?}");
}

/// The paper as text, a letter for each byte: objects of its structure are not packed.
fn paper(report: &Report) -> String {
    render_pdf(report, &[]).unwrap().into_iter().map(char::from).collect()
}

/// Pages of the paper, and the page on which each section begins, from 0.
fn outline(paper: &str) -> (usize, BTreeMap<String, usize>) {
    let (_, kids) = paper.split_once("/Type/Pages").unwrap();
    let (_, kids) = kids.split_once("/Kids[").unwrap();
    let (kids, _) = kids.split_once(']').unwrap();
    let pages: Vec<&str> = kids.split(" 0 R").map(str::trim).filter(|id| !id.is_empty()).collect();
    let section = |item: &str| -> Option<(String, usize)> {
        // A heading, and the place in the file that it leads to: `[PAGE 0 R/XYZ …]`.
        let (title, place) = item.split_once(")/Dest ")?;
        let (place, _) = place.split_once(" 0 R")?;
        let (_, place) = paper.split_once(&format!("\n{place} 0 obj\n["))?;
        let (page, _) = place.split_once(" 0 R")?;
        Some((title.to_owned(), pages.iter().position(|id| *id == page)?))
    };
    (pages.len(), paper.split("/Title(").skip(1).filter_map(section).collect())
}

/// Whether a figure of this title is described to who does not see it, in either form of a text.
fn describes(paper: &str, title: &str) -> bool {
    let wide: String = title
        .encode_utf16()
        .flat_map(|unit| format!("{unit:04X}").into_bytes())
        .map(char::from)
        .collect();
    paper.contains(&format!("/Alt({title}")) || paper.contains(&format!("/Alt<FEFF{wide}"))
}

#[test]
fn the_page_in_plain_language_is_one_page_of_paper() {
    let every_task = tasks::studies().map(|study| assembled(&study.plan, &study.answers));
    let usual = assembled(&plan(), &answers(&plan()));
    let nobody = assembled(&plan(), &vec![("site-a", None)]);
    for report in every_task.into_iter().chain([usual, nobody, longest()]) {
        let paper = paper(&report);
        let (_, sections) = outline(&paper);
        let page = sections["In plain language"];
        let next = sections["Sites and participants"];
        assert!(sections["Summary"] < page && next == page + 1, "{sections:?}");
        assert_eq!(sections.values().filter(|begins| **begins == page).count(), 1);
    }
}

#[test]
fn of_many_hospitals_the_paper_shows_those_that_the_first_plots_leave_out() {
    let few = paper(&held_against(0.8));
    assert!(!outline(&few).1.keys().any(|section| section.starts_with("Appendix")));
    let many = paper(&crowd(assembled(&small(), &answers(&small())), 85));
    let (pages, sections) = outline(&many);
    let appendix = sections["Appendix: the other sites, page by page"];
    // Forty to a page.
    assert_eq!(pages - appendix, 2, "{sections:?}");
    assert!(sections.values().all(|page| *page <= appendix));
    for page in [2, 3] {
        assert!(describes(&many, &format!("Forest plot of AUROC by site, page {page}. ")));
    }
    assert!(!describes(&many, "Forest plot of AUROC by site, page 4. "));
    // Sites are ranked by the first endpoint's metric: no other has pages of its own.
    assert!(describes(&many, "Forest plot of Sensitivity at rule-out by site. "));
    assert!(!describes(&many, "Forest plot of Sensitivity at rule-out by site, page 2. "));
}

#[test]
fn in_print_the_page_in_plain_language_stands_alone() {
    let html = render_html(&held_against(0.8), &[]).unwrap();
    let (_, print) = html.split_once("@media print {").unwrap();
    assert!(print.contains(".plain { break-before: page; break-after: page; }"));
    assert!(html.contains("<section aria-labelledby=\"plain\" class=\"plain\">"));
}
