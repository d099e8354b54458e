//! Free texts: what a person reads is what was signed.

use fedval_ambient::is_plain;

use super::Breaches;
use crate::protocol::{AttributeSource, Grouping, StudyProtocol};

/// Longest text, in characters.
const MOST_CHARACTERS: usize = 2_000;

pub(super) fn check(protocol: &StudyProtocol, found: &mut Breaches) {
    let model = &protocol.model;
    let standard = &protocol.reference_standard;
    let fixed = [
        ("title", &protocol.title),
        ("target_condition", &protocol.target_condition),
        ("eligibility", &protocol.eligibility),
        ("model.name", &model.name),
        ("model.input.name", &model.input.name),
        ("model.output.name", &model.output.name),
        ("reference_standard.description", &standard.description),
    ];
    for (path, text) in fixed {
        check_text(path, text, found);
    }
    if let Some(amends) = &protocol.amends {
        check_text("amends.reason", &amends.reason, found);
    }
    for label in standard.positive.iter().chain(&standard.negative) {
        check_text("reference_standard", label, found);
    }
    if let Some(quantity) = protocol.task.quantity() {
        check_text("quantity.unit", &quantity.unit, found);
    }
    for value in protocol.task.classes().iter().flat_map(|class| &class.values) {
        check_text("classes", value, found);
    }
    for condition in protocol.task.conditions() {
        let values = [&condition.positive, &condition.negative, &condition.missing];
        let texts = values.into_iter().flatten().chain([&condition.column]);
        texts.for_each(|text| check_text("conditions", text, found));
    }
    for (index, dimension) in protocol.subgroups.iter().enumerate() {
        let path = format!("subgroups[{index}]");
        let (AttributeSource::Column(name) | AttributeSource::Dicom(name)) = &dimension.source;
        check_text(&path, name, found);
        if let Grouping::Categories(categories) = &dimension.grouping {
            let values = categories.iter().flat_map(|category| &category.values);
            values.for_each(|value| check_text(&path, value, found));
        }
    }
}

fn check_text(path: &str, text: &str, found: &mut Breaches) {
    found.unless(
        text.chars().all(|character| is_plain(character) || character == '\n'),
        path,
        "holds a character that is not seen or changes how others are seen",
        "type the text anew: control characters and marks of direction do not belong into a protocol",
    );
    found.unless(
        text.chars().count() <= MOST_CHARACTERS,
        path,
        "has more than 2000 characters",
        "shorten it: reports print it whole",
    );
}
