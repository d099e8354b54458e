//! What a reader needs beside the report: how to check it, what the model is, what the software is made of.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fedval_study::protocol::{
    BoxOutput, ClassScope, MaskOutput, MaskRule, ModelOutput, ModelSpecification, OutputForm,
    StudyProtocol, Suppression,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::layout;

/// Every crate that the workspace was resolved to.
const LOCK: &str = include_str!("../../../../Cargo.lock");

/// Instructions, model card and bill of materials, by path.
pub(super) fn all(plan: &StudyProtocol) -> BTreeMap<String, Vec<u8>> {
    [
        (layout::INSTRUCTIONS, instructions(plan)),
        (layout::MODEL_CARD, model_card(&plan.model)),
        (layout::BILL_OF_MATERIALS, format!("{:#}\n", bill_of_materials())),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.into_bytes()))
    .collect()
}

fn instructions(plan: &StudyProtocol) -> String {
    format!(
        "{title}\n\n\
         This folder holds a cross-site generalization report with everything that it follows from.\n\n\
         report.html, report.pdf   for people\n\
         tables/                   for spreadsheets\n\
         figures/                  for slides: each figure as a picture, and the numbers it draws\n\
         report.json               for scripts\n\
         model-card.md             what was tested\n\
         evidence/                 the signed documents: protocol with what it amends, round, the result of every site\n\
         evidence/statement.json   digests of all files (in-toto statement in a DSSE envelope)\n\
         sbom.cdx.json             what the software is made of (CycloneDX)\n\
         evidence.zip              all of the above in one file\n\n\
         To check it, offline:\n\n\
         \x20   fedval verify FOLDER --root FINGERPRINT\n\
         \x20   fedval verify evidence.zip --root FINGERPRINT\n\n\
         FINGERPRINT is that of the consortium's root certificate. Ask for it by another way than the one by\n\
         which this folder came. The command checks every signature, makes every number, table and picture\n\
         again from the signed results of the sites, and names the first part that differs. It answers 0 if all\n\
         holds, 1 if something does not, 2 if the folder cannot be read.\n",
        title = plan.title
    )
}

fn model_card(model: &ModelSpecification) -> String {
    let (input, output) = (&model.input, &model.output);
    let mut card = format!(
        "# {}\n\nWhat the locked protocol says of the model. What it was developed on, and for whom, its manufacturer \
         says.\n\n| | |\n|---|---|\n",
        model.name
    );
    let rows = [
        ("File (SHA-256)", model.digest.to_string()),
        ("Size", format!("{} bytes", model.bytes)),
        ("Input", format!("`{}`, {:?}", input.name, input.layout).to_lowercase()),
        (
            "Image",
            format!("{} × {} pixels, {} channel(s)", input.width, input.height, input.channels),
        ),
        ("Scaling of values", format!("{:?}", input.scaling).to_lowercase()),
        ("Mean, standard deviation", format!("{}, {}", input.mean, input.standard_deviation)),
        ("Other sizes", format!("{:?}", input.resize).to_lowercase()),
        ("MONOCHROME1", format!("{:?}", input.monochrome1).to_lowercase()),
        ("Output", output_of(output)),
    ];
    for (label, value) in rows {
        let _ = writeln!(card, "| {label} | {} |", value.replace('|', "\\|"));
    }
    card
}

/// What is read of the model's output.
fn output_of(output: &ModelOutput) -> String {
    let ModelOutput { name, scale, positive_index, form, .. } = output;
    match form {
        OutputForm::Scores => format!("`{name}`, {scale:?}, positive at {positive_index}"),
        OutputForm::Mask(MaskOutput { channels, rule: MaskRule::Threshold(micro) }) => format!(
            "`{name}`, mask of {channels} channel(s), {scale:?}, the structure where channel {positive_index} \
             has a probability of at least {}",
            f64::from(*micro) / 1e6
        ),
        OutputForm::Mask(MaskOutput { channels, rule: MaskRule::Highest }) => format!(
            "`{name}`, mask of {channels} channels, the structure where channel {positive_index} is the highest"
        ),
        OutputForm::Boxes(BoxOutput { class, non_maximum_suppression }) => {
            let classes = class.map_or_else(
                || "a score each".to_owned(),
                |class| format!("a score and a class each, of which {class} counts"),
            );
            let suppressed = non_maximum_suppression.map(suppression_of).unwrap_or_default();
            format!("`{name}`, boxes with {classes}{suppressed}")
        }
    }
}

/// Which of overlapping boxes stays.
fn suppression_of(rule: Suppression) -> String {
    let across = match rule.classes {
        ClassScope::Apart => "",
        ClassScope::Together => ", whatever their classes",
    };
    format!(
        "; of those that overlap by more than {} the highest score stays{across} (the {} highest are looked at)",
        f64::from(rule.iou) / 1e3,
        rule.candidates
    )
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

fn bill_of_materials() -> Value {
    // The lock file is part of the build, so it can be read wherever this runs.
    let lock: Lock = toml::from_str(LOCK).unwrap_or(Lock { package: Vec::new() });
    let component = |locked: &Locked| {
        let mut component = json!({
            "type": "library",
            "name": locked.name,
            "version": locked.version,
            "purl": format!("pkg:cargo/{}@{}", locked.name, locked.version),
        });
        if let Some(checksum) = &locked.checksum {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
        }
        component
    };
    let outside = lock.package.iter().filter(|locked| locked.checksum.is_some());
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "name": "fedval", "version": env!("CARGO_PKG_VERSION"),
        } },
        "components": outside.map(component).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_names_what_is_built_in() {
        let bill = bill_of_materials();
        let components = bill["components"].as_array().unwrap();
        let names = |name: &str| components.iter().any(|component| component["name"] == name);
        assert!(components.len() > 200 && names("rustls") && names("krilla"));
        assert!(!names("fedval-report"), "our own crates are the application");
    }
}
