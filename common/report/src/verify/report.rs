//! The report is made again from the evidence and compared.

use std::borrow::Cow;
use std::collections::BTreeMap;

use fedval_study::{Sha256Digest, SiteId};
use fedval_trust::{PayloadType, Role};
use rayon::prelude::*;
use serde::Deserialize;

use super::difference::{Agreement, first_difference};
use super::documents::{Documents, Values, chain};
use super::{Made, PartCheck, electronic_signature, part};
use crate::assemble::{Given, assemble_given};
use crate::forms;
use crate::package::{Files, layout};
use crate::report::written;

/// What follows from the evidence.
pub(super) struct Again<'m> {
    /// `report.json`.
    numbers: Cow<'m, [u8]>,
    /// Page, paper, tables and pictures, by path.
    pub(super) forms: BTreeMap<String, Cow<'m, [u8]>>,
}

/// `report.json` as the package has it.
pub(super) struct Found<'f> {
    bytes: Result<Cow<'f, [u8]>, String>,
    /// Whether the coordinator signed it.
    signature: Result<(), String>,
    /// What the log and people's signatures speak of.
    pub(super) digest: Result<Sha256Digest, String>,
}

impl<'f> Found<'f> {
    /// Reads and hashes it, forty MiB for a thousand sites, which hangs on nothing that the evidence gives.
    pub(super) fn read(documents: &Documents<'f>) -> Self {
        let bytes = documents.bytes(layout::REPORT);
        let read = || bytes.as_deref().map_err(Clone::clone);
        let (signature, digest) = rayon::join(
            || read().and_then(|bytes| check_signature(documents, bytes)),
            || read().map(Sha256Digest::of),
        );
        Self { bytes, signature, digest }
    }

    fn bytes(&self) -> Result<&[u8], String> {
        self.bytes.as_deref().map_err(Clone::clone)
    }
}

/// The aspects of the report, in order.
pub(super) fn check(
    files: &Files<'_>,
    documents: &Documents<'_>,
    found: &Found<'_>,
    again: Result<&Again<'_>, &String>,
) -> Vec<PartCheck> {
    let is_same = is_same(found, again);
    let mut parts = vec![
        part(layout::REPORT, found.signature.clone()),
        part("report.json: model digest", check_model(documents, found, is_same)),
        part("report.json: numbers", check_numbers(documents, found, again, is_same)),
    ];
    match again {
        // Their digests are in the statement, which the coordinator signed.
        Ok(_) if !documents.is_of_this_revision() => {}
        Ok(again) => parts.par_extend(
            again.forms.par_iter().map(|(path, form)| part(path, check_form(files, path, form))),
        ),
        Err(problem) => parts.push(part(layout::HTML, Err(problem.clone()))),
    }
    parts
}

/// The report that follows from the evidence. The values of the results are gone then: they are the larger part
/// of what verification holds.
pub(super) fn again<'m>(
    documents: &Documents<'_>,
    results: Option<Values>,
    made: Option<&Made<'m>>,
) -> Result<Again<'m>, String> {
    if let Some(made) = made
        && documents.is_of(made)
        && documents.has_all_of(made)
    {
        let as_made = |(path, bytes): (&String, &'m Vec<u8>)| (path.clone(), bytes.into());
        let forms = made.files.iter().filter(|(path, _)| layout::is_form(path));
        let numbers = made.files.get(layout::REPORT).map_or(&[][..], Vec::as_slice).into();
        return Ok(Again { numbers, forms: forms.map(as_made).collect() });
    }
    if !documents.is_worth_making {
        return Err("is not made again: not every file is the one that was signed".to_owned());
    }
    let protocols = documents.history_for_judging()?;
    let round = documents.round_for_judging()?;
    let results = results.ok_or_else(|| "cannot be judged without every site result".to_owned())?;
    let given: BTreeMap<&SiteId, Given<'_>> = results
        .iter()
        .map(|(site, (result, digest))| {
            (site, Given { result, digest: Some(*digest), is_checked: true })
        })
        .collect();
    let report = assemble_given(protocols, round, &given)
        .map_err(|error| format!("the evidence makes no report: {}", chain(&error)))?;
    drop(given);
    let signatures = electronic_signature::shown(documents)?;
    let (forms, numbers) = rayon::join(
        || forms::render(&report, &signatures).map_err(|error| chain(&error)),
        || {
            drop(results);
            written(&report).map_err(|error| chain(&error))
        },
    );
    // Its many small parts are let go of while the forms are compared.
    rayon::spawn(move || drop(report));
    let (forms, numbers) = (forms?, numbers?);
    let forms = forms.into_iter().map(|(path, form)| (path, form.into())).collect();
    Ok(Again { numbers: numbers.into(), forms })
}

/// Nothing is asked of its form: whatever is signed and agrees with what the evidence gives is canonical.
fn check_signature(documents: &Documents<'_>, bytes: &[u8]) -> Result<(), String> {
    let then = documents.as_of()?;
    documents
        .signed(&Role::Coordinator, layout::REPORT, PayloadType::Report, then, bytes.into())
        .map(|_| ())
}

/// Whether the report is what the evidence gives, to the last byte.
fn is_same(found: &Found<'_>, again: Result<&Again<'_>, &String>) -> bool {
    let same = |again: &Again<'_>| found.bytes().is_ok_and(|bytes| *bytes == *again.numbers);
    again.is_ok_and(same)
}

/// What was made of the protocol names its model.
fn check_model(documents: &Documents<'_>, found: &Found<'_>, is_same: bool) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Head {
        model: Model,
    }
    #[derive(Deserialize)]
    struct Model {
        digest: Sha256Digest,
    }
    if is_same {
        return Ok(());
    }
    let head: Head = serde_json::from_slice(found.bytes()?)
        .map_err(|error| format!("names no model: {error}"))?;
    let protocol = documents.protocol_for_judging()?;
    if head.model.digest == protocol.protocol().model.digest.0 {
        Ok(())
    } else {
        Err("names another model than the protocol".to_owned())
    }
}

fn check_numbers(
    documents: &Documents<'_>,
    found: &Found<'_>,
    again: Result<&Again<'_>, &String>,
    is_same: bool,
) -> Result<(), String> {
    let again = again.map_err(Clone::clone)?;
    let bytes = found.bytes()?;
    if is_same {
        return Ok(());
    }
    let is_ours = documents.is_of_this_revision();
    let agreement = if is_ours { Agreement::Same } else { Agreement::Close };
    match first_difference(bytes, &again.numbers, agreement) {
        None => Ok(()),
        Some(path) => Err(format!("differs from what the evidence gives, first at {path}")),
    }
}

/// A form says what the numbers give, to the last byte.
fn check_form(files: &Files<'_>, path: &str, expected: &[u8]) -> Result<(), String> {
    let bytes = files.read(path)?;
    if *bytes == *expected {
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
