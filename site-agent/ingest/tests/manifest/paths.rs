//! Where the paths of a manifest may lead.

use std::fs;
use std::os::unix::fs::symlink;

use fedval_ingest::{ColumnMapping, IndexTest, ManifestSource, read_manifest};
use fedval_study::protocol::{Labels, OutputForm, Task};

use super::{HEADER, Site, codes, standard};

/// Nothing walks the folder: what the manifest does not name is never looked at, however much there is
/// and wherever it leads.
#[test]
fn a33_links_to_everywhere_loops_and_a_flood_of_files_are_not_followed() {
    let site = Site::new();
    let root = site.0.path().join("root");
    symlink("/", root.join("everything")).unwrap();
    symlink(".", root.join("again")).unwrap();
    symlink("endless", root.join("endless")).unwrap();
    let flood = root.join("flood");
    fs::create_dir(&flood).unwrap();
    fs::write(flood.join("0.dcm"), b"image").unwrap();
    for number in 1..20_000 {
        fs::hard_link(flood.join("0.dcm"), flood.join(format!("{number}.dcm"))).unwrap();
    }
    let cohort = site.read(format!("{HEADER}c1,p1,a.png,1\nc2,p2,again/again/b.png,0\n")).unwrap();
    let root = root.canonicalize().unwrap();
    let paths: Vec<_> = cohort.open_on_site().cases().map(|case| case.index_test).collect();
    let expected = ["a.png", "b.png"].map(|file| IndexTest::Image(root.join(file)));
    assert!(paths == expected, "the links are gone from the paths");

    let error = site.read(format!(
        "{HEADER}c1,p1,everything/etc/passwd,1\nc2,p2,again/everything/proc/self/environ,0\n\
         c3,p3,endless,1\nc4,p4,flood,1\nc5,p5,everything/dev/zero,1\n"
    ));
    assert_eq!(
        codes(&error.unwrap_err()),
        [
            ("MANIFEST_PATH_OUTSIDE", Some(2)),
            ("MANIFEST_PATH_OUTSIDE", Some(3)),
            ("MANIFEST_IMAGE_MISSING", Some(4)),
            ("MANIFEST_IMAGE_MISSING", Some(5)),
            ("MANIFEST_PATH_OUTSIDE", Some(6)),
        ]
    );
}

#[test]
fn a_folder_is_an_image_where_the_study_is_of_volumes_alone() {
    let site = Site::new();
    fs::create_dir(site.0.path().join("root/slices")).unwrap();
    fs::create_dir(site.0.path().join("outside")).unwrap();
    symlink(site.0.path().join("outside"), site.0.path().join("root/way-out")).unwrap();
    let standard = standard();
    let read = |cell: &str, takes_folders| {
        let manifest = site.0.path().join("manifest.csv");
        fs::write(&manifest, format!("{HEADER}c1,p1,{cell},1\n")).unwrap();
        let columns = ColumnMapping::default();
        let source = ManifestSource { manifest, root: site.0.path().join("root"), columns };
        let labels = Labels {
            task: &Task::Binary,
            standard: &standard,
            takes_folders,
            form: OutputForm::Scores,
        };
        read_manifest(&source, labels, &[]).map(drop).map_err(|error| codes(&error))
    };
    assert_eq!(read("slices", true), Ok(()));
    assert_eq!(read("a.png", true), Ok(()));
    assert_eq!(read("slices", false), Err(vec![("MANIFEST_IMAGE_MISSING", Some(2))]));
    assert_eq!(read("way-out", true), Err(vec![("MANIFEST_PATH_OUTSIDE", Some(2))]));
    assert_eq!(read("../outside", true), Err(vec![("MANIFEST_PATH_OUTSIDE", Some(2))]));
}
