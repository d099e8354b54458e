//! The report is made again from the evidence and compared.

use std::collections::BTreeMap;

use fedval_trust::{PayloadType, Role};
use serde_json::Value;

use super::difference::{Agreement, first_difference};
use super::documents::{Documents, canonical, chain};
use super::{Files, PartCheck, electronic_signature, part};
use crate::assemble::assemble;
use crate::forms;
use crate::package::layout;
use crate::report::Report;

/// What follows from the evidence.
pub(super) struct Again {
    /// `report.json`.
    numbers: Vec<u8>,
    /// Page, paper, tables and pictures, by path.
    pub(super) forms: Forms,
}

/// Forms of a report by path.
type Forms = BTreeMap<String, Vec<u8>>;

/// The aspects of the report, in order.
pub(super) fn check(
    files: &Files,
    documents: &Documents<'_>,
    again: Result<&Again, &String>,
) -> Vec<PartCheck> {
    let mut parts = vec![
        part(layout::REPORT, check_signature(documents, again)),
        part("report.json: model digest", check_model(documents, again)),
        part("report.json: numbers", check_numbers(documents, again)),
    ];
    match again {
        // Their digests are in the statement, which the coordinator signed.
        Ok(_) if !documents.is_of_this_revision() => {}
        Ok(again) => parts.extend(
            again.forms.iter().map(|(path, form)| part(path, check_form(files, path, form))),
        ),
        Err(problem) => parts.push(part(layout::HTML, Err(problem.clone()))),
    }
    parts
}

/// The report that follows from the evidence.
pub(super) fn again(documents: &Documents<'_>) -> Result<Again, String> {
    let protocol = documents.protocol_for_judging()?;
    let round = documents.round_for_judging()?;
    let results = documents
        .results
        .iter()
        .map(|(site, result)| Ok((site.clone(), result.clone()?)))
        .collect::<Result<BTreeMap<_, _>, String>>()
        .map_err(|_| "cannot be judged without every site result".to_owned())?;
    let report = assemble(protocol, round, &results)
        .map_err(|error| format!("the evidence makes no report: {}", chain(&error)))?;
    drop(results);
    let signatures = electronic_signature::shown(documents)?;
    let forms = forms::render(&report, &signatures).map_err(|error| chain(&error))?;
    let numbers = report.canonical().map_err(|error| chain(&error))?.into_bytes();
    Ok(Again { numbers, forms })
}

/// Whether `report.json` holds the very bytes that the evidence gives: then nothing else about its form is
/// left to be asked.
fn is_the_same(documents: &Documents<'_>, again: Result<&Again, &String>) -> bool {
    again.is_ok_and(|again| documents.bytes(layout::REPORT) == Ok(&again.numbers))
}

fn check_signature(
    documents: &Documents<'_>,
    again: Result<&Again, &String>,
) -> Result<(), String> {
    let bytes = documents.bytes(layout::REPORT)?;
    if !documents.is_of_this_revision() {
        // Another revision may have said less: what it said is held against the evidence below.
        canonical::<Value>(bytes)?;
    } else if !is_the_same(documents, again) {
        canonical::<Report>(bytes)?;
    }
    let then = documents.as_of()?;
    documents.signed_by(&Role::Coordinator, layout::REPORT, PayloadType::Report, then)
}

fn check_model(documents: &Documents<'_>, again: Result<&Again, &String>) -> Result<(), String> {
    if is_the_same(documents, again) {
        return Ok(());
    }
    let report: Value = canonical(documents.bytes(layout::REPORT)?)?;
    let protocol = documents.protocol_for_judging()?;
    let digest = report.pointer("/model/digest").and_then(Value::as_str);
    if digest == Some(protocol.protocol().model.digest.to_string().as_str()) {
        Ok(())
    } else {
        Err("names another model than the protocol".to_owned())
    }
}

fn check_numbers(documents: &Documents<'_>, again: Result<&Again, &String>) -> Result<(), String> {
    let again = again.map_err(Clone::clone)?;
    let bytes = documents.bytes(layout::REPORT)?;
    if bytes == again.numbers {
        return Ok(());
    }
    let is_ours = documents.is_of_this_revision();
    let agreement = if is_ours { Agreement::Same } else { Agreement::Close };
    Err(match first_difference(bytes, &again.numbers, agreement) {
        None if !is_ours => return Ok(()),
        Some(path) => format!("differs from what the evidence gives, first at {path}"),
        None => "differs from what the evidence gives in its form".to_owned(),
    })
}

/// A form says what the numbers give, to the last byte.
fn check_form(files: &Files, path: &str, expected: &[u8]) -> Result<(), String> {
    let bytes = super::documents::bytes(files, path)?;
    if bytes == expected {
        return Ok(());
    }
    let line = bytes
        .split(|byte| *byte == b'\n')
        .zip(expected.split(|byte| *byte == b'\n'))
        .take_while(|(found, expected)| found == expected)
        .count()
        + 1;
    Err(format!("differs from what the evidence gives, first in line {line}"))
}
