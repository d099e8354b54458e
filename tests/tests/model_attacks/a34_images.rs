//! A34, A35: DICOM files that are cut, twisted and swollen, each with a patient's name in it. Each fails its
//! own case; the agent counts the others, and says no word of what it read.

use fedval_tests::process::Launch;

use crate::dicom_file::{DicomFile, EXPLICIT, bomb, element_bytes, header};
use crate::scene::{Data, Scene, harmless};

/// Levels of sequences in sequences.
const DEEP: usize = 50_000;

fn grey() -> DicomFile {
    DicomFile { rows: 4, columns: 4, pixels: (0..16).collect(), ..DicomFile::grey8([0; 6]) }
}

/// A file with a patient's name, and then these bytes where pixels should come.
fn named_then(rest: &[u8]) -> Vec<u8> {
    let name = element_bytes(0x10, 0x10, "PN", b"ZZCANARY^PATIENT", true);
    [header(EXPLICIT), name, rest.to_vec()].concat()
}

/// Sequences of undefined length, each in an item of the one before.
fn deep_sequences() -> Vec<u8> {
    let sequence = [0x08, 0, 0x15, 0x11, b'S', b'Q', 0, 0, 0xff, 0xff, 0xff, 0xff];
    let item = [0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff];
    named_then(&[&sequence[..], &item].concat().repeat(DEEP))
}

/// Pixel data of 4 GiB less two bytes, of which sixteen are there.
fn endless_pixels() -> Vec<u8> {
    let whole = grey().bytes();
    let pixels = [0xe0, 0x7f, 0x10, 0, b'O', b'W', 0, 0, 16, 0, 0, 0];
    let place = whole.windows(pixels.len()).position(|window| window == pixels).unwrap();
    let mut file = whole;
    file[place + 8..place + 12].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    file
}

fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let whole = grey().bytes();
    let mut odd_form = whole.clone();
    let name = odd_form.windows(2).rposition(|window| window == b"PN").unwrap();
    odd_form[name..name + 2].copy_from_slice(b"\xff\x00");
    let many = DicomFile { rows: u16::MAX, columns: u16::MAX, ..grey() }.bytes();
    let mut words = b"ZZCANARY^PATIENT /phi-canary/ is no image".to_vec();
    words.resize(200, b' ');
    vec![
        ("cut-in-the-head.dcm", whole[..200].to_vec()),
        ("cut-in-the-pixels.dcm", whole[..whole.len() - 5].to_vec()),
        ("odd-form.dcm", odd_form),
        ("deep-sequences.dcm", deep_sequences()),
        ("endless-pixels.dcm", endless_pixels()),
        ("too-many-pixels.dcm", many),
        ("bomb.dcm", bomb()),
        ("words.dcm", words),
        ("empty.dcm", Vec::new()),
    ]
}

fn fill(data: &mut Data) {
    data.add_good(200);
    data.add("whole.dcm", &grey().bytes());
    for (name, file) in malformed() {
        data.add(name, &file);
    }
}

#[test]
fn a34_malformed_images_are_failed_cases_and_the_agent_counts_the_others() {
    let mut scene = Scene::with(fill);
    scene.lock("good", &harmless(0));
    scene.run(&Launch::default());
    scene.serves_the_next("good");
    scene.consortium.fedval(&["study", "close", "good", "--json"]).json();
    let (_, report) = scene.consortium.report("good");
    assert_eq!(report["sites"][0]["n"], 201, "every good image, and none of the others");
}

#[test]
fn a35_neither_names_nor_paths_of_malformed_images_stand_in_what_is_sent_or_logged() {
    let mut scene = Scene::with(fill);
    scene.lock("good", &harmless(0));
    scene.run(&Launch::default());
    scene.serves_the_next("good");
    scene.keeps_its_secrets();
}
