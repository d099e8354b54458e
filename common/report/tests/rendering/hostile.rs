//! A48: names and texts that are formulas, markup or commands to a terminal elsewhere, and no more than texts in any
//! form of the report.

use fedval_ambient::is_plain;
use fedval_report::verify;
use fedval_study::protocol::Grouping;
use fedval_study::{
    LockedProtocol, Name, ProtocolHistory, RoundRecord, SignatureMeaning, SiteId, StudyProtocol,
};

use super::Forms;
use super::consortium::signature::statement;
use super::consortium::{Consortium, answers, plan};

pub(crate) const TITLE: &str = "+1+cmd|' /C calc'!A0 <script>alert(1)</script>";
pub(crate) const CONDITION: &str = "<img src=x onerror=y>";
const OLD_TITLE: &str = "=cmd|' /C calc'!A0 <script>alert(0)</script>";
const ELIGIBILITY: &str = "-1+1, \"quoted\"";
const OLD_ELIGIBILITY: &str = "@SUM(1+1)*cmd|' /C calc'!A0";
const REASON: &str = "%0A <b>two slips</b>";

/// Columns of tables in which a number may be below 0; in every other one a cell that begins like a formula is one.
const MAY_BE_NEGATIVE: [&str; 7] =
    ["estimate", "lower", "upper", "gap", "mu", "prediction_lower", "prediction_upper"];

/// A study all of whose names a spreadsheet takes for negative numbers, and whose texts it takes for formulas.
fn study() -> StudyProtocol {
    let mut plan = plan();
    plan.operating_points[1].name = "-1".parse().unwrap();
    plan.subgroups[1].name = "-4".parse().unwrap();
    let Grouping::Categories(categories) = &mut plan.subgroups[0].grouping else {
        panic!("sexes are categories")
    };
    categories[0].name = "-3".parse().unwrap();
    TITLE.clone_into(&mut plan.title);
    CONDITION.clone_into(&mut plan.target_condition);
    ELIGIBILITY.clone_into(&mut plan.eligibility);
    "</style><b>".clone_into(&mut plan.model.name);
    "{{ report }} <i>".clone_into(&mut plan.reference_standard.description);
    plan
}

/// The files of its report: amended once, and signed by a person whose name is markup.
pub(crate) fn files() -> Forms {
    let consortium = Consortium::new(1);
    let first = StudyProtocol {
        version: 1,
        title: OLD_TITLE.to_owned(),
        eligibility: OLD_ELIGIBILITY.to_owned(),
        ..study()
    };
    let first = LockedProtocol::new(first).unwrap();
    let second = LockedProtocol::new(study().amending(&first, REASON)).unwrap();
    let history = ProtocolHistory::new(vec![first, second]).unwrap();
    let mut answers = answers(&study());
    answers[0].0 = "-2";
    let sign = |record: &RoundRecord, report| {
        vec![consortium.signed(statement(record, report, "ada", SignatureMeaning::Approval))]
    };
    let evidence = consortium.evidence_under(&history, &answers);
    consortium.seal_signed(evidence, sign, |_, events| events).unwrap().files()
}

/// The cells of a table, row by row, as RFC 4180 has them.
fn rows(table: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut is_quoted, mut rest) = (false, table.chars().peekable());
    while let Some(next) = rest.next() {
        match next {
            '"' if is_quoted && rest.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {}
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(!is_quoted && row.is_empty() && cell.is_empty(), "the last row ends");
    rows
}

#[test]
fn a48_no_cell_of_a_table_is_a_formula() {
    let files = files();
    let mut texts = Vec::new();
    for (name, table) in files.iter().filter(|(name, _)| name.starts_with("tables/")) {
        let mut rows = rows(std::str::from_utf8(table).unwrap()).into_iter();
        let columns = rows.next().unwrap();
        for row in rows {
            assert_eq!(row.len(), columns.len(), "{name}: {row:?}");
            for (column, cell) in columns.iter().zip(row) {
                let begins = cell.starts_with(['=', '+', '-', '@', '|', '%', '\t', '\r', '\n']);
                let may_be_negative = MAY_BE_NEGATIVE.contains(&column.as_str());
                let is_number = may_be_negative && cell.parse::<f64>().is_ok();
                assert!(!begins || is_number, "{name}: {column}: {cell}");
                texts.push(cell);
            }
        }
    }
    let texts_of_the_study = [OLD_TITLE, TITLE, OLD_ELIGIBILITY, ELIGIBILITY, REASON];
    for text in texts_of_the_study.into_iter().chain(["-1", "-2", "-3", "-4"]) {
        assert!(texts.contains(&format!("'{text}")), "{text} stands in no table");
    }
}

#[test]
fn a48_no_text_is_markup_or_a_command_in_any_form() {
    let files = files();
    let is_form = |name: &str| ["svg", "html", "csv"].iter().any(|kind| name.ends_with(kind));
    for (name, bytes) in files.iter().filter(|(name, _)| is_form(name)) {
        let text = std::str::from_utf8(bytes).unwrap();
        let is_seen = |character| is_plain(character) || "\r\n\t".contains(character);
        assert!(text.chars().all(is_seen), "{name}");
        // A table is no markup, whatever it says.
        if name.ends_with("csv") {
            continue;
        }
        for markup in ["<script", "<img", "<b>King", "<b>two", "</style><b>", "<i>"] {
            assert!(!text.contains(markup), "{markup} in {name}");
        }
    }
    let page = std::str::from_utf8(&files["report.html"]).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)") || page.contains("&#60;script&#62;alert(1)"));
}

#[test]
fn a48_what_is_no_text_for_people_gets_no_further_than_the_protocol_and_names_are_names() {
    let texts: [fn(&mut StudyProtocol) -> &mut String; 3] =
        [|plan| &mut plan.title, |plan| &mut plan.target_condition, |plan| &mut plan.model.name];
    for hidden in ["\u{1b}[2J", "\u{202e}txet", "zero\u{200b}width", "bell\u{7}", "ret\rurn"] {
        for text in texts {
            let mut plan = study();
            text(&mut plan).push_str(hidden);
            assert!(LockedProtocol::new(plan).is_err(), "{hidden:?}");
        }
    }
    for name in ["=1+1", "+1", "@a", "<b>", "a\tb", "a,b", "\u{1b}[2J", "\u{202e}a"] {
        assert!(name.parse::<SiteId>().is_err() && name.parse::<Name>().is_err(), "{name:?}");
    }
}

/// Nothing that is asked of the forms keeps the package from being one that holds.
#[test]
fn a48_the_package_of_such_a_study_holds() {
    let files = files();
    let verification = verify(&files, None);
    assert!(verification.holds(), "{:?}", verification.first_failure());
}
