//! Studies of masks: two files beside each other, or an image and the reference standard's mask.

use fedval_ingest::{Case, IndexTest, IndexTestColumn};
use fedval_study::protocol::{
    Border, MaskOutput, MaskRule, OutputForm, Reference, Structure, Task,
};

use super::{codes, grades, read_as, read_classes};

fn masks() -> IndexTestColumn {
    let (reference, predicted) = ("truth".to_owned(), "model".to_owned());
    IndexTestColumn::Masks { reference, predicted }
}

fn of_masks() -> Task {
    Task::Segmentation(Structure {
        labels: vec![1],
        other_labels: Vec::new(),
        rois: Vec::new(),
        border: Border::VoxelBorder,
        tolerance_um: 2_000,
        hd95_bound_um: 50_000,
        pixel_spacing_um: None,
    })
}

#[test]
fn a_table_of_masks_names_two_files_and_has_no_label() {
    let manifest = "case_id,patient_id,truth,model\n\
                    c1,p1,a.png,b.png\nc2,p2,,b.png\nc3,p3,a.png,\n";
    let cohort = read_classes(&of_masks(), masks(), manifest).unwrap();
    let cases: Vec<Case> = cohort.open_on_site().cases().collect();
    let found = |case: &Case| match &case.index_test {
        IndexTest::Masks { reference, predicted } => {
            let name = |path: &std::path::PathBuf| path.file_name().unwrap().to_owned();
            (reference.as_ref().map(name), predicted.as_ref().map(name))
        }
        _ => panic!("masks"),
    };
    let (a, b) = (Some("a.png".into()), Some("b.png".into()));
    assert_eq!(
        cases.iter().map(found).collect::<Vec<_>>(),
        [(a.clone(), b.clone()), (None, b), (a, None)]
    );
    let references: Vec<_> = cases.iter().map(|case| case.reference).collect();
    assert_eq!(references, [Some(Reference::Mask), None, Some(Reference::Mask)]);
}

/// A study whose model gives masks has images, each with the reference standard's mask beside it.
#[test]
fn an_image_may_have_its_reference_mask_beside_it() {
    let outlined = || IndexTestColumn::Outlined {
        image: Box::new(IndexTestColumn::Image("image".to_owned())),
        reference: "truth".to_owned(),
    };
    let form = OutputForm::Mask(MaskOutput { channels: 1, rule: MaskRule::Threshold(500_000) });
    let manifest = "case_id,patient_id,image,truth\nc1,p1,a.png,b.png\nc2,p2,b.png,\n";
    let cohort = read_as(&of_masks(), form, outlined(), manifest).unwrap();
    let cases: Vec<Case> = cohort.open_on_site().cases().collect();
    let found = |case: &Case| match (&case.index_test, case.index_test.image()) {
        (IndexTest::Outlined { reference, .. }, IndexTest::Image(image)) => (
            image.ends_with("a.png"),
            reference.as_ref().is_some_and(|mask| mask.ends_with("b.png")),
        ),
        _ => panic!("an image with a mask"),
    };
    assert_eq!(cases.iter().map(found).collect::<Vec<_>>(), [(true, true), (false, false)]);
    let references: Vec<_> = cases.iter().map(|case| case.reference).collect();
    assert_eq!(references, [Some(Reference::Mask), None]);
    // Of a model that gives no mask, and of a study without masks.
    let error = read_classes(&of_masks(), outlined(), manifest).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_MASKS_NEEDED", None)]);
    let error = read_classes(&grades(), outlined(), manifest).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_MASKS_UNUSED", None)]);
    let outside = manifest.replace("b.png\n", "../b.png\n");
    let error = read_as(&of_masks(), form, outlined(), &outside).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_PATH_OUTSIDE", Some(2))]);
}

#[test]
fn masks_stay_inside_the_folder_and_belong_to_a_study_of_masks() {
    let manifest = "case_id,patient_id,truth,model\nc1,p1,../a.png,b.png\nc2,p2,a.png,gone.png\n";
    let error = read_classes(&of_masks(), masks(), manifest).unwrap_err();
    let outside = ("MANIFEST_PATH_OUTSIDE", Some(2));
    assert_eq!(codes(&error), [outside, ("MANIFEST_IMAGE_MISSING", Some(3))]);
    let good = "case_id,patient_id,truth,model\nc1,p1,a.png,b.png\n";
    let error = read_classes(&grades(), masks(), good).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_MASKS_UNUSED", None)]);
    let images = IndexTestColumn::Image("truth".to_owned());
    let error = read_classes(&of_masks(), images, good).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_MASKS_NEEDED", None)]);
    let error = read_classes(&of_masks(), masks(), &good.replace("model", "modell")).unwrap_err();
    assert_eq!(codes(&error), [("MANIFEST_COLUMN_MISSING", None)]);
}
