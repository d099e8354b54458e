//! Studies of volumes.

use fedval_study::LockedProtocol;

use super::{GOOD, parsed, refused};

/// [`GOOD`] as a study of volumes.
fn volumes() -> String {
    GOOD.replace("resize = \"refuse\"\nmonochrome1 = \"invert\"\n", "").replace(
        "[model.output]",
        "[model.input.volume]\ndepth = 64\nspacing_mm = [2.0, 1, 1.0]\norientation = \"SPL\"\n\
         [model.output]",
    )
}

#[test]
fn a_study_of_volumes_says_its_millimetres_and_its_axes() {
    let volume = |text: &str| {
        let protocol = parsed(text);
        let locked = LockedProtocol::new(protocol.clone()).expect("it keeps to the rules");
        let read = LockedProtocol::parse(locked.bytes()).expect("its own bytes");
        assert_eq!(read.protocol(), &protocol);
        serde_json::to_value(&protocol.model.input).expect("plain data")
    };
    let input = volume(&volumes());
    assert_eq!(input["resize"], "refuse");
    assert_eq!(input["monochrome1"], "refuse");
    assert_eq!(input["volume"]["orientation"], "SPL");
    assert_eq!(input["volume"]["padding"], 0.0);
    assert_eq!(input["volume"].get("slab"), None);
    assert_eq!(input["volume"].get("gantry_tilt"), None);
    let tilted = volumes().replace("depth = 64", "depth = 64\ngantry_tilt = \"resample\"");
    assert_eq!(volume(&tilted)["volume"]["gantry_tilt"], "resample");
    let named = volumes().replace("depth = 64", "depth = 64\ngantry_tilt = \"refuse\"");
    assert_eq!(volume(&named)["volume"].get("gantry_tilt"), None);
    let windowed = "scaling = \"window\"\nwindow_low = -1000\nwindow_high = 400";
    let windowed = volumes().replace("scaling = \"unit\"", windowed);
    assert_eq!(volume(&windowed)["volume"]["padding"], -1000.0);
    let slab = "depth = 64\nslab = { depth = 16, pooling = \"max\" }";
    let slabs = volume(&volumes().replace("depth = 64", slab));
    assert_eq!(slabs["volume"]["slab"]["depth"], 16);
    assert_eq!(slabs["volume"]["slab"]["overlap"], 0);
    let picture = serde_json::to_value(&parsed(GOOD).model.input).expect("plain data");
    assert_eq!(picture.get("volume"), None, "a study of pictures says nothing of it");
}

#[test]
fn what_volumes_do_not_have_is_refused_where_it_stands() {
    for (what, with, path) in [
        ("depth = 64", "depth = 0", "volume.depth"),
        ("depth = 64", "depth = 4097", "volume.depth"),
        ("depth = 64", "depth = 4096", "volume"),
        ("[2.0, 1, 1.0]", "[2.0, 1]", "volume.spacing_mm"),
        ("[2.0, 1, 1.0]", "[2.0, 1, 0.0]", "volume.spacing_mm"),
        ("\"SPL\"", "\"SPI\"", "volume.orientation"),
        ("scaling = \"unit\"", "scaling = \"modality\"", "volume.padding"),
        ("scaling = \"unit\"", "scaling = \"voi\"", "scaling"),
        ("\"nchw\"", "\"nhwc\"", "layout"),
        ("channels = 1", "channels = 3", "channels"),
        ("channels = 1", "channels = 1\nresize = \"bilinear\"", "resize"),
        ("channels = 1", "channels = 1\nmonochrome1 = \"invert\"", "monochrome1"),
        ("channels = 1", "channels = 1\nframe = \"middle\"", "frame"),
        ("depth = 64", "depth = 64\nslab = { depth = 65, pooling = \"max\" }", "volume.slab.depth"),
        (
            "depth = 64",
            "depth = 64\nslab = { depth = 4, overlap = 4, pooling = \"max\" }",
            "volume.slab.overlap",
        ),
    ] {
        let text = volumes().replacen(what, with, 1);
        let problems = refused(&text).problems;
        assert!(
            problems.iter().any(|problem| problem.path == format!("model.input.{path}")),
            "{with}: {problems:?}"
        );
    }
}
