//! The study file that the demo hands to the coordinator.

use fedval_demo::SIDE;
use fedval_demo::federation::STUDY_TOML;
use fedval_demo::hospital::ETHNIC_GROUPS;
use fedval_demo::model::{INPUT, OUTPUT, lesion_detector};
use fedval_study::draft::Draft;
use fedval_study::{LockedProtocol, Sha256Digest};

#[test]
fn it_can_be_locked_and_fits_model_and_hospitals() {
    let model = lesion_detector();
    let draft = Draft::parse(STUDY_TOML).unwrap();
    let bytes = u64::try_from(model.len()).unwrap();
    let protocol = draft.pin_model(Sha256Digest::of(&model), bytes).unwrap();
    assert_eq!((protocol.model.input.name.as_str(), protocol.model.input.width), (INPUT, SIDE));
    assert_eq!(protocol.model.output.name, OUTPUT);
    let ethnicity = protocol.subgroups.iter().find(|d| d.name.as_str() == "ethnicity").unwrap();
    assert!(ETHNIC_GROUPS.iter().all(|group| ethnicity.classify(group).is_some()));
    LockedProtocol::new(protocol).unwrap();
}
