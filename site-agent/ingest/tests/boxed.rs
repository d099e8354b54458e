//! Decoding hostile files, and reading tables, in a box: the case fails, the agent lives.
//!
//! This executable is both sides: started with a role, it is the child.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod finding_tables;
mod mask_file;
mod parquet_file;
mod report_folder;
mod series_memory;
mod slice_file;
mod tables;

use std::cell::RefCell;
use std::process::ExitCode;

use dicom_file::{DicomFile, RLE, bomb, input};
use fedval_ambient::Problem as _;
use fedval_ingest::{
    DECODE_ROLE, DecodeFailure, DecodeLimits, DecodeRequest, Decoder, MaskComparison, MaskRequest,
    TABLE_ROLE, decode_box_main, table_box_main,
};
use fedval_sandbox::BoxProgram;
use fedval_study::protocol::{ModelInput, Resize};
use fedval_study::summary::FailureReason;
use libtest_mimic::{Arguments, Failed, Trial};
use mask_file::MaskFile;
use proptest::test_runner::{Config, TestRunner};
use slice_file::SliceFile;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some(DECODE_ROLE) => return decode_box_main(),
        Some(TABLE_ROLE) => return table_box_main(),
        Some(series_memory::ROLE) => return series_memory::measured(),
        _ => {}
    }
    let mut trials = vec![
        trial("a_file_is_decoded_and_its_attributes_are_read_along", decodes),
        trial("a_file_of_674_bytes_fails_its_case_and_leaves_the_parent_small", survives_a_bomb),
        trial("a_fault_in_the_box_arrives_as_its_code", tells_the_fault),
        trial("a_file_above_the_limit_is_not_looked_at", refuses_a_large_file),
        trial("an_image_too_large_for_the_box_ends_it_and_the_next_is_decoded", replaces_the_child),
        trial("more_images_than_one_child_decodes_are_decoded", outlives_a_child),
        trial("without_a_program_the_machine_is_to_blame", blames_the_machine),
        trial("two_masks_are_measured_in_the_box_and_numbers_come_back", compares_masks),
        trial("a_series_is_a_volume_and_its_fault_arrives_as_a_code", decodes_a_series),
        trial("a36_a_series_is_the_one_that_was_asked_for", refuses_another_series),
        trial("a_mask_that_declares_a_huge_volume_allocates_nothing", refuses_a_boast),
        Trial::test("damaged_masks_never_harm_the_parent", survives_damaged_masks),
        Trial::test("a_damaged_dicom_file_never_harms_the_parent", survives_damage),
    ];
    trials.extend(tables::trials());
    trials.extend(report_folder::trials());
    trials.extend(finding_tables::trials());
    trials.extend(series_memory::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial<F: Future<Output = ()>>(name: &str, test: impl FnOnce() -> F + Send + 'static) -> Trial {
    Trial::test(name, move || {
        runtime()?.block_on(test());
        Ok(())
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn decoder() -> Decoder {
    let limits = DecodeLimits { memory_bytes: 1 << 30, ..DecodeLimits::default() };
    Decoder::new(BoxProgram::current(DECODE_ROLE).unwrap(), limits)
}

fn grey() -> DicomFile {
    DicomFile::grey8([0, 51, 102, 153, 204, 255])
}

async fn decode(
    decoder: &mut Decoder,
    bytes: &[u8],
    input: &ModelInput,
) -> Result<Vec<f32>, (FailureReason, &'static str)> {
    let request = DecodeRequest { input, dicom_attributes: &[], bytes };
    match decoder.decode(&request).await {
        Ok(image) => Ok(image.open_on_site().tensor().into_owned()),
        Err(DecodeFailure::Case { reason, detail }) => Err((reason, detail)),
        Err(other) => panic!("{other:?}"),
    }
}

async fn decodes() {
    let asked = ["PatientSex", "PatientName"].map(str::to_owned);
    let bytes = DicomFile { syntax: RLE, ..grey() }.bytes();
    let request = DecodeRequest { input: &input(2, 3), dicom_attributes: &asked, bytes: &bytes };
    let image = decoder().decode(&request).await.unwrap();
    let image = image.open_on_site();
    assert!((image.tensor()[1] - 0.2).abs() < 1e-6);
    assert_eq!(*image.attributes(), [("PatientSex".to_owned(), "F".to_owned())].into());
}

async fn survives_a_bomb() {
    let mut decoder = decoder();
    let before = resident_kilobytes();
    let failed = decode(&mut decoder, &bomb(), &input(2, 3)).await.unwrap_err();
    assert_eq!(failed.0, FailureReason::Undecodable);
    // Other tests run in this process too; what the file asks for is twenty times as much.
    assert!(resident_kilobytes() < before + 192 * 1024, "the parent grew");
    assert!(decode(&mut decoder, &grey().bytes(), &input(2, 3)).await.is_ok());
}

fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn tells_the_fault() {
    let mut decoder = decoder();
    let pixels = (0..18).collect();
    let coloured = DicomFile { photometric: "RGB", samples: 3, pixels, ..grey() }.bytes();
    let unsupported = (FailureReason::Unsupported, "IMAGE_COLOUR");
    assert_eq!(decode(&mut decoder, &coloured, &input(2, 3)).await, Err(unsupported));
    let wrong = (FailureReason::WrongSize, "IMAGE_SIZE");
    assert_eq!(decode(&mut decoder, &grey().bytes(), &input(9, 9)).await, Err(wrong));
}

async fn refuses_a_large_file() {
    let limits = DecodeLimits { max_file_bytes: 100, ..DecodeLimits::default() };
    // A program that is not there shows that none is started.
    let absent = BoxProgram { executable: "/nonexistent".into(), role: DECODE_ROLE };
    let mut decoder = Decoder::new(absent, limits);
    let failed = (FailureReason::Undecodable, "FILE_TOO_LARGE");
    assert_eq!(decode(&mut decoder, &grey().bytes(), &input(2, 3)).await, Err(failed));
}

async fn replaces_the_child() {
    let limits = DecodeLimits { memory_bytes: 96 << 20, ..DecodeLimits::default() };
    let mut decoder = Decoder::new(BoxProgram::current(DECODE_ROLE).unwrap(), limits);
    // 100 MB as numbers, beside the file itself.
    let pixels = vec![0; 5_000 * 5_000];
    let large = DicomFile { rows: 5_000, columns: 5_000, pixels, ..grey() }.bytes();
    let shrinking = ModelInput { resize: Resize::Bilinear, ..input(2, 3) };
    let failed = decode(&mut decoder, &large, &shrinking).await.unwrap_err();
    assert_eq!(failed, (FailureReason::Undecodable, "DECODER_DIED"));
    assert!(decode(&mut decoder, &grey().bytes(), &input(2, 3)).await.is_ok());
}

async fn outlives_a_child() {
    let mut decoder = decoder();
    for _ in 0..70 {
        assert!(decode(&mut decoder, &grey().bytes(), &input(2, 3)).await.is_ok());
    }
}

async fn blames_the_machine() {
    let absent = BoxProgram { executable: "/nonexistent".into(), role: DECODE_ROLE };
    let mut decoder = Decoder::new(absent, DecodeLimits::default());
    let bytes = grey().bytes();
    let request = DecodeRequest { input: &input(2, 3), dicom_attributes: &[], bytes: &bytes };
    let failure = decoder.decode(&request).await.unwrap_err();
    assert_eq!(failure.code(), "SANDBOX_NOT_STARTED");
}

async fn compare(
    decoder: &mut Decoder,
    reference: &[u8],
    predicted: &[u8],
) -> Result<MaskComparison, (FailureReason, &'static str)> {
    let request = MaskRequest { structure: &mask_file::structure(), reference, predicted };
    match decoder.compare(&request).await {
        Ok(compared) => Ok(*compared.open_on_site()),
        Err(DecodeFailure::Case { reason, detail }) => Err((reason, detail)),
        Err(other) => panic!("{other:?}"),
    }
}

async fn compares_masks() {
    let mut decoder = decoder();
    let whole = mask_file::a_box();
    let half = MaskFile {
        label: |at| u8::from(mask_file::is_in(at, [1, 1, 1]) && at[2] == 1),
        ..whole.clone()
    };
    let compared = compare(&mut decoder, &whole.bytes(), &half.bytes()).await.unwrap();
    // Nine of eighteen voxels: 2 × 9 / 27.
    let measures = compared.measures.unwrap();
    assert!((measures.dice - 2.0 / 3.0).abs() < 1e-12);
    assert!((measures.hd95_mm - 2.5).abs() < 1e-6, "one plane is 2.5 mm away");
    let moved = MaskFile { origin: [0.0; 3], ..whole.clone() }.bytes();
    let failed = compare(&mut decoder, &whole.bytes(), &moved).await;
    assert_eq!(failed, Err((FailureReason::WrongSize, "MASK_GRID")));
    // The same box goes on to images.
    assert!(decode(&mut decoder, &grey().bytes(), &input(2, 3)).await.is_ok());
    assert!(compare(&mut decoder, &whole.bytes(), &half.bytes()).await == Ok(compared));
}

async fn series(
    decoder: &mut Decoder,
    input: &ModelInput,
    slices: &[SliceFile],
) -> Result<Vec<f32>, &'static str> {
    series_of(decoder, input, slices, None).await
}

async fn series_of(
    decoder: &mut Decoder,
    input: &ModelInput,
    slices: &[SliceFile],
    uid: Option<&str>,
) -> Result<Vec<f32>, &'static str> {
    let files: Vec<Vec<u8>> = slices.iter().map(SliceFile::bytes).collect();
    let code = |failure: DecodeFailure| failure.code();
    let mut series = decoder.series_of(input, &[], uid).await.map_err(code)?;
    for file in &files {
        series.look(file).await.map_err(code)?;
    }
    for place in series.order().await.map_err(code)? {
        series.take(&files[place]).await.map_err(code)?;
    }
    let volume = series.finish().await.map_err(code)?;
    Ok(volume.open_on_site().tensor().into_owned())
}

async fn decodes_a_series() {
    let mut decoder = decoder();
    let volume = slice_file::volume_input([4, 2, 3], "SPL", [2.0, 1.0, 1.0]);
    let mut slices = slice_file::axial(4);
    slices.swap(0, 2);
    let tensor = series(&mut decoder, &volume, &slices).await.unwrap();
    assert_eq!(tensor.len(), 24);
    assert!(tensor[0] < tensor[6] && tensor[6] < tensor[12] && tensor[12] < tensor[18]);
    slices.remove(1);
    assert_eq!(series(&mut decoder, &volume, &slices).await, Err("SERIES_GAP"));
    // The box was thrown away, and the next one takes pictures as before.
    assert!(decode(&mut decoder, &grey().bytes(), &input(2, 3)).await.is_ok());
    let tensor_again = series(&mut decoder, &volume, &slice_file::axial(4)).await;
    assert_eq!(tensor_again, Ok(tensor));
}

async fn refuses_another_series() {
    let mut decoder = decoder();
    let volume = slice_file::volume_input([4, 2, 3], "SPL", [2.0, 1.0, 1.0]);
    let mut slices = slice_file::axial(4);
    let own = slices[0].series;
    let own = series_of(&mut decoder, &volume, &slices, Some(own)).await;
    assert_eq!(own.unwrap().len(), 24);
    // All of them are of one series, and it is not the one that was asked for.
    for slice in &mut slices {
        slice.series = "1.2.3.7";
    }
    for other in ["1.2.3.5", "1.2.3", "1.2.3.70", ""] {
        let failed = series_of(&mut decoder, &volume, &slices, Some(other)).await;
        assert_eq!(failed, Err("SERIES_MIXED"), "{other}");
    }
    assert!(series(&mut decoder, &volume, &slices).await.is_ok(), "nobody asked for one");
}

async fn refuses_a_boast() {
    let mut boastful = mask_file::a_box().bytes();
    for axis in 1..4 {
        mask_file::put(&mut boastful, 40 + 2 * axis, &16_000_i16.to_le_bytes());
    }
    let mut decoder = decoder();
    let failed = compare(&mut decoder, &mask_file::a_box().bytes(), &boastful).await;
    assert_eq!(failed, Err((FailureReason::WrongSize, "IMAGE_SIZE")));
}

fn survives_damaged_masks() -> Result<(), Failed> {
    let runtime = runtime()?;
    let decoder = RefCell::new(decoder());
    let whole = mask_file::a_box().bytes();
    let damage = (0..whole.len(), proptest::num::u32::ANY, 0..4_usize);
    TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(100) })
        .run(&damage, |(place, noise, width)| {
            let mut bytes = whole.clone();
            for (byte, noise) in bytes[place..].iter_mut().zip(noise.to_le_bytes()).take(width) {
                *byte = noise;
            }
            // Compared or refused: what counts is that the parent gets an answer.
            let _ = runtime.block_on(compare(&mut decoder.borrow_mut(), &bytes, &whole));
            Ok(())
        })
        .map_err(|error| error.to_string().into())
}

fn survives_damage() -> Result<(), Failed> {
    let runtime = runtime()?;
    let decoder = RefCell::new(decoder());
    let whole = DicomFile { syntax: RLE, ..grey() }.bytes();
    let damage = (128..whole.len(), proptest::num::u32::ANY, 0..4_usize);
    TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(100) })
        .run(&damage, |(place, noise, width)| {
            let mut bytes = whole.clone();
            for (byte, noise) in bytes[place..].iter_mut().zip(noise.to_le_bytes()).take(width) {
                *byte = noise;
            }
            // Read or refused: what counts is that the parent gets an answer.
            let _ = runtime.block_on(decode(&mut decoder.borrow_mut(), &bytes, &input(2, 3)));
            Ok(())
        })
        .map_err(|error| error.to_string().into())
}
