//! Parts are told as they are judged.

use std::fs;
use std::path::PathBuf;

use fedval_report::{Files, PartCheck, verify_files_telling};

use super::{first_of, untouched};

#[test]
fn every_part_is_told_once_and_in_order() {
    let (_, mut files) = untouched();
    for changed in [None, Some("report.html"), Some("evidence/sites/site-b.json")] {
        if let Some(path) = changed {
            files.get_mut(path).unwrap().push(b' ');
        }
        let mut told = Vec::new();
        let mut tell = |part: &PartCheck| told.push(part.clone());
        let verification = verify_files_telling(&Files::from(&files), None, None, &mut tell);
        assert_eq!(told, verification.parts);
        assert_eq!(verification.holds(), changed.is_none());
    }
}

/// Whoever hears of a part can still change what later ones speak of: they are looked at afterwards.
#[test]
fn a_part_is_told_before_later_ones_are_looked_at() {
    let (_, files) = untouched();
    for (heard, changed) in [
        ("evidence/sites/site-d.json", "report.html"),
        ("tables/withheld.csv", "evidence/log.jsonl"),
    ] {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("told");
        let mut lying = Files::default();
        for (name, bytes) in &files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
            lying.add_file(name.clone(), path, bytes.len() as u64);
        }
        let mut tell = |part: &PartCheck| {
            if part.part == heard {
                let mut bytes = files[changed].clone();
                bytes[0] ^= 1;
                fs::write(folder.join(changed), bytes).unwrap();
            }
        };
        let verification = verify_files_telling(&lying, None, None, &mut tell);
        assert_eq!(first_of(&verification), changed);
    }
}
