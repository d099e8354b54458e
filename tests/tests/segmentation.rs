//! Hospitals that bring masks of a reference standard and of a model: the report's numbers are those that follow from
//! counting voxels, empty masks are counted by kind and are in no mean, and nothing of a case leaves. One of them brings
//! contours in the place of voxels.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fedval_tests::by_definition::{mean_and_sd, step};
use fedval_tests::canary::{Canaries, stands_in};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::dice::Dice;
use fedval_tests::dicom_object::{object, sequence, text};
use fedval_tests::reported::{near, number, site};
use fedval_tests::small_site;
use serde_json::Value;

/// Voxels to the left, to the back and to the head.
const SIDES: [usize; 3] = [14, 13, 9];
/// Millimetres from one voxel to the next.
const SPACING: [f64; 3] = [0.75, 1.0, 2.5];
/// Up to which distance surfaces agree, in millimetres.
const TOLERANCE: f64 = 1.0;
/// Distances are cut to this, in millimetres.
const BOUND: f64 = 8.0;

type Mask = Vec<bool>;

/// A patient with both masks.
struct Patient {
    reference: Mask,
    predicted: Mask,
}

fn places() -> impl Iterator<Item = [usize; 3]> {
    let [width, height, depth] = SIDES;
    (0..depth).flat_map(move |z| (0..height).flat_map(move |y| (0..width).map(move |x| [x, y, z])))
}

#[expect(clippy::cast_precision_loss, reason = "voxels of a small volume")]
fn millimetres(at: [usize; 3]) -> [f64; 3] {
    [0, 1, 2].map(|axis| at[axis] as f64 * SPACING[axis])
}

fn distance(one: [f64; 3], other: [f64; 3]) -> f64 {
    (0..3).map(|axis| (one[axis] - other[axis]).powi(2)).sum::<f64>().sqrt()
}

/// Voxels nearer than `radius` millimetres to a point.
fn ball(middle: [f64; 3], radius: f64) -> Mask {
    places().map(|at| distance(millimetres(at), middle) < radius).collect()
}

/// Patients whose model errs by up to `error` millimetres. Of the first ones the model misses the structure in
/// `missed`, then sees it where there is none in `spurious`, and in `neither` there is none and none is seen.
fn patients(
    seed: u64,
    count: usize,
    error: f64,
    [missed, spurious, neither]: [usize; 3],
) -> Vec<Patient> {
    let mut dice = Dice(seed);
    let empty = || vec![false; SIDES.iter().product()];
    (0..count)
        .map(|index| {
            let middle = [4.5 + dice.roll(), 5.5 + dice.roll(), 9.0 + 2.0 * dice.roll()];
            let radius = 3.2 + dice.roll();
            let moved = middle.map(|part| part + error * (2.0 * dice.roll() - 1.0));
            let (reference, predicted) =
                (ball(middle, radius), ball(moved, radius + 0.4 * dice.roll()));
            let kind = [missed, missed + spurious, missed + spurious + neither]
                .iter()
                .position(|end| index < *end);
            match kind {
                Some(0) => Patient { reference, predicted: empty() },
                Some(1) => Patient { reference: empty(), predicted },
                Some(_) => Patient { reference: empty(), predicted: empty() },
                None => Patient { reference, predicted },
            }
        })
        .collect()
}

/// A NIfTI-1 file of a mask, as most programs write it, or turned by half: both say where the patient is.
fn nifti(mask: &Mask, is_turned: bool) -> Vec<u8> {
    let mut bytes = vec![0_u8; 352];
    let mut put = |at: usize, what: &[u8]| bytes[at..at + what.len()].copy_from_slice(what);
    put(0, &348_i32.to_le_bytes());
    put(40, &3_i16.to_le_bytes());
    for (axis, side) in SIDES.iter().enumerate() {
        put(42 + 2 * axis, &i16::try_from(*side).expect("short").to_le_bytes());
    }
    for axis in 4..8 {
        put(40 + 2 * axis, &1_i16.to_le_bytes());
    }
    put(70, &2_i16.to_le_bytes());
    put(72, &8_i16.to_le_bytes());
    put(108, &352_f32.to_le_bytes());
    put(123, &[2]);
    put(254, &1_i16.to_le_bytes());
    let last = millimetres(SIDES.map(|side| side - 1));
    // The file's axes go to the left, to the back and to the head; turned, the first two go the other way.
    for axis in 0..3 {
        let is_reversed = is_turned && axis < 2;
        let way = if axis < 2 { -1.0 } else { 1.0 };
        let (step, start) = (way * SPACING[axis], if is_reversed { way * last[axis] } else { 0.0 });
        let step = if is_reversed { -step } else { step };
        put(280 + 20 * axis, &single(step).to_le_bytes());
        put(280 + 16 * axis + 12, &single(start).to_le_bytes());
    }
    put(344, b"n+1\0");
    let [width, height, _] = SIDES;
    let voxel = |[x, y, z]: [usize; 3]| {
        let (x, y) = if is_turned { (width - 1 - x, height - 1 - y) } else { (x, y) };
        u8::from(mask[(z * height + y) * width + x])
    };
    bytes.extend(places().map(voxel));
    bytes
}

/// The name of the region that both sides outline.
const ROI: &str = "Organ";
/// The hospital whose reference standard is contours.
const CONTOURED: &str = "south";

/// An RT Structure Set of a mask: of each row in each slice a rectangle round its voxels, edge to edge with those of the
/// rows beside it. A region without a contour is an empty mask.
fn structure_set(mask: &Mask) -> Vec<u8> {
    let [width, height, depth] = SIDES;
    let mut contours = Vec::new();
    for (row, voxels) in mask.chunks(width).enumerate() {
        let (y, z) = (count(row % height), count(row / height));
        let Some(begin) = voxels.iter().position(|is_in| *is_in) else { continue };
        let end = voxels.iter().rposition(|is_in| *is_in).map_or(begin, |last| last + 1);
        assert!(voxels[begin..end].iter().all(|is_in| *is_in), "a ball has no hole");
        let (x0, x1) = (count(begin) - 0.5, count(end) - 0.5);
        let corners = [[x0, y - 0.5], [x1, y - 0.5], [x1, y + 0.5], [x0, y + 0.5]];
        let numbers = corners.iter().flat_map(|[x, y]| {
            [x * SPACING[0], y * SPACING[1], z * SPACING[2]].map(|mm| mm.to_string())
        });
        let data = numbers.collect::<Vec<_>>().join("\\");
        contours.push(
            [
                text((0x3006, 0x0042), b"CS", "CLOSED_PLANAR"),
                text((0x3006, 0x0046), b"IS", "4"),
                text((0x3006, 0x0050), b"DS", &data),
            ]
            .concat(),
        );
    }
    assert_eq!(mask.len(), width * height * depth);
    let named = [text((0x3006, 0x0022), b"IS", "7"), text((0x3006, 0x0026), b"LO", ROI)].concat();
    let drawn =
        [sequence((0x3006, 0x0040), &contours), text((0x3006, 0x0084), b"IS", "7")].concat();
    object(
        "1.2.840.10008.5.1.4.1.1.481.3",
        &[sequence((0x3006, 0x0020), &[named]), sequence((0x3006, 0x0039), &[drawn])],
    )
}

#[expect(clippy::cast_possible_truncation, reason = "headers have single precision")]
const fn single(number: f64) -> f32 {
    number as f32
}

/// Every third predicted mask is stored the other way round.
fn write(folder: &Path, patients: &[Patient], is_contoured: bool) {
    fs::create_dir_all(folder).expect("a writable folder");
    let mut table = "case_id,patient_id,truth,model\n".to_owned();
    for (index, patient) in patients.iter().enumerate() {
        let [truth, model] = ["TRUTHX", "MODELX"].map(|what| format!("{what}{index}.nii"));
        let reference = if is_contoured {
            structure_set(&patient.reference)
        } else {
            nifti(&patient.reference, false)
        };
        fs::write(folder.join(&truth), reference).expect("writable");
        fs::write(folder.join(&model), nifti(&patient.predicted, index % 3 == 0))
            .expect("writable");
        writeln!(table, "CASEX{index},PATIENTX{index},{truth},{model}").expect("text");
    }
    fs::write(folder.join("manifest.csv"), table).expect("a writable folder");
}

fn study(id: &str, model: &Path) -> String {
    let table = format!(
        "[[endpoints]]\nname = \"misses\"\nmetric = \"dice_misses_zero\"\nlimit = 0.6\n[segmentation]\nlabels = [1]\nborder = \"voxel_border\"\ntolerance_mm = {TOLERANCE:?}\n\
         hd95_bound_mm = {BOUND:?}\nrois = [\"{ROI}\"]\n"
    );
    small_site::study(id, model)
        .replace("[model]\n", "task = \"segmentation\"\nprediction_tables = \"accept\"\n[model]\n")
        .replace("positive = [\"1\"]\nnegative = [\"0\"]\n", "")
        .replace("scale = \"probability\"\n", "")
        .replace("[[operating_points]]\nname = \"half\"\nthreshold = 0.5\n", "")
        .replace("metric = \"auroc\"\nlimit = 0.8", "metric = \"dice\"\nlimit = 0.6")
        + &table
}

/// Dice, the 95th percentile of distances and normalised surface Dice; `None` where a mask is empty.
fn measured(patient: &Patient) -> Option<[f64; 3]> {
    let of = |mask: &Mask| mask.iter().filter(|is_in| **is_in).count();
    let (reference, predicted) = (of(&patient.reference), of(&patient.predicted));
    if reference == 0 || predicted == 0 {
        return None;
    }
    let pairs = patient.reference.iter().zip(&patient.predicted);
    let common = pairs.filter(|(one, other)| **one && **other).count();
    let dice = 2.0 * count(common) / count(reference + predicted);
    let (one, other) = (border(&patient.reference), border(&patient.predicted));
    let (there, back) = (nearest(&one, &other), nearest(&other, &one));
    let within = there.iter().chain(&back).filter(|mm| **mm <= TOLERANCE).count();
    let hd95 = percentile(&there).max(percentile(&back)).min(BOUND);
    Some([dice, hd95, count(within) / count(there.len() + back.len())])
}

/// Voxels with a neighbour across a face that is not in the mask.
fn border(mask: &Mask) -> Vec<[f64; 3]> {
    let [width, height, _] = SIDES;
    let is_in = |at: [usize; 3]| {
        (0..3).all(|axis| at[axis] < SIDES[axis]) && mask[(at[2] * height + at[1]) * width + at[0]]
    };
    let is_open = |at: [usize; 3]| {
        (0..3).any(|axis| {
            let (mut before, mut after) = (at, at);
            before[axis] = at[axis].wrapping_sub(1);
            after[axis] += 1;
            !is_in(before) || !is_in(after)
        })
    };
    places().filter(|at| is_in(*at) && is_open(*at)).map(millimetres).collect()
}

/// From each of these to the nearest of those, sorted.
fn nearest(from: &[[f64; 3]], to: &[[f64; 3]]) -> Vec<f64> {
    let least =
        |at: &[f64; 3]| to.iter().map(|of| distance(*at, *of)).fold(f64::INFINITY, f64::min);
    let mut distances: Vec<f64> = from.iter().map(least).collect();
    distances.sort_by(f64::total_cmp);
    distances
}

/// The 95th, between order statistics.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
fn percentile(sorted: &[f64]) -> f64 {
    let place = 0.95 * count(sorted.len() - 1);
    let low = place.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    (place - place.floor()).mul_add(sorted[high] - sorted[low], sorted[low])
}

#[expect(clippy::cast_precision_loss, reason = "voxels and patients")]
const fn count(of: usize) -> f64 {
    of as f64
}

/// A round over `hospitals`, and its report.
fn round(consortium: &Consortium, text: &str, hospitals: &[(&str, Vec<Patient>)]) -> Value {
    let mut sites: Vec<Site> = hospitals
        .iter()
        .map(|(name, patients)| {
            let data = consortium.path(&format!("data-{name}"));
            write(&data, patients, *name == CONTOURED);
            let site = consortium.enrol(name, &data);
            site.configure_also(
                "[data_sources.columns]\nreference_mask = \"truth\"\npredicted_mask = \"model\"\n",
            );
            site
        })
        .collect();
    let (_, report) = consortium.complete("masks", text, &mut sites);
    for (site, (_, patients)) in sites.iter().zip(hospitals) {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", site.name)));
        assert!(canaries.len() >= 2 * patients.len(), "case and patient of every line");
        let outgoing = site.outgoing();
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{}", site.name);
        for path in ["MODELX", "TRUTHX"] {
            assert!(!stands_in(path, &outgoing), "{}: a path left", site.name);
        }
        check_preview(site, &report);
    }
    report
}

/// Before anything left, the steward could see it.
fn check_preview(hospital: &Site, report: &Value) {
    let job = report["round"]["id"].as_str().expect("a round");
    let shown = hospital.agent(&["preview", job]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let is_mean = ["dice: mean", "dice_misses_zero: mean"].iter().any(|of| shown.out.contains(of));
    let is_shown = is_mean && shown.out.contains("structure missed");
    let is_released = site(report, &hospital.name)["status"] == "released";
    assert_eq!(is_shown, is_released, "{}", shown.out);
}

/// Means with their errors, within the rounding of mean and spread.
fn check_measures(name: &str, metrics: &Value, measured: &[[f64; 3]]) {
    for (place, (id, room)) in
        [("dice", 1.0), ("hd95", BOUND), ("nsd", 1.0)].into_iter().enumerate()
    {
        let values: Vec<f64> = measured.iter().map(|of| of[place]).collect();
        let ((mean, sd), step) = (mean_and_sd(&values), step(room, values.len(), 0.001));
        near(name, number(metrics, &format!("/{id}/estimate")), mean, step / 2.0 + 1e-6);
        let se = (sd * sd / count(values.len()) + step * step / 12.0).sqrt();
        near(name, number(metrics, &format!("/{id}/se")), se, 0.06 * se);
    }
}

/// Dice over everybody who has the structure, 0 where it was missed.
fn check_misses(name: &str, metrics: &Value, patients: &[Patient]) {
    let found: Vec<f64> = patients.iter().filter_map(measured).map(|of| of[0]).collect();
    let is_in = |mask: &Mask| mask.iter().any(|is_in| *is_in);
    let is_missed = |patient: &&Patient| is_in(&patient.reference) && !is_in(&patient.predicted);
    let missed = patients.iter().filter(is_missed).count();
    let mut all = found.clone();
    all.resize(found.len() + missed, 0.0);
    let ((mean, sd), n) = (mean_and_sd(&all), count(all.len()));
    let step = step(1.0, found.len(), 0.001) * count(found.len()) / n;
    let own = |path: &str| number(metrics, &format!("/dice_misses_zero{path}"));
    near(name, own("/estimate"), mean, step / 2.0 + 1e-6);
    let se = (sd * sd / n + step * step / 12.0).sqrt();
    near(name, own("/se"), se, 0.06 * se);
    let lower = own("/ci/0");
    assert!(lower < own("/estimate") && own("/ci/1") <= 1.0, "{name}");
    let both = number(metrics, "/dice/estimate");
    assert_eq!(missed > 0, own("/estimate") < both, "{name}: misses cost");
}

/// A hospital whose model outlines nine of sixty: too few for any measure of them, and no reason to be silent.
fn check_blind(site: &Value, patients: &[Patient]) {
    assert_eq!((&site["status"], &site["patients"]), (&"released".into(), &9.into()));
    assert_eq!(site["empty_masks"]["missed"], 51);
    let sum: f64 = patients.iter().filter_map(measured).map(|of| of[0]).sum();
    let metrics = &site["metrics"];
    let told = number(metrics, "/dice_misses_zero/estimate");
    near("blind", told, sum / 60.0, step(1.0, 60, 0.001) / 2.0 + 1e-6);
    assert_eq!(metrics["dice"]["not_estimable"], "withheld");
}

#[test]
fn masks_of_three_hospitals_compare_as_their_voxels_do() {
    let consortium = Consortium::start();
    let model = consortium.path("model.onnx");
    fs::write(&model, b"a model that nobody runs").expect("a writable folder");
    let hospitals = [
        ("north", patients(1, 90, 0.8, [4, 3, 12])),
        ("south", patients(2, 80, 2.5, [2, 1, 4])),
        ("west", patients(3, 70, 1.5, [0, 0, 0])),
        ("small", patients(4, 15, 1.0, [0, 0, 0])),
        ("blind", patients(5, 60, 1.0, [51, 0, 0])),
    ];
    let report = round(&consortium, &study("masks", &model), &hospitals);

    assert_eq!(site(&report, "small")["status"], "insufficient");
    assert!(site(&report, "small").get("empty_masks").is_none());
    for (name, patients) in &hospitals[..3] {
        let site = site(&report, name);
        let measured: Vec<[f64; 3]> = patients.iter().filter_map(measured).collect();
        assert_eq!(site["patients"], measured.len(), "{name}");
        check_measures(name, &site["metrics"], &measured);
        check_misses(name, &site["metrics"], patients);
        assert_eq!(site["n_pos"]["not_estimable"], "not_defined_for_task");
    }
    check_blind(site(&report, "blind"), &hospitals[4].1);
    // Three and twelve patients without the structure are told of; one and four are fewer than k, as is nobody.
    let empty = |name: &str| site(&report, name)["empty_masks"].clone();
    let told = serde_json::json!({
        "missed": 4, "without_structure": { "neither": 12, "spurious": 3 }
    });
    assert_eq!(empty("north"), told);
    assert_eq!(empty("south"), serde_json::json!({ "missed": 2 }));
    assert_eq!(empty("west"), serde_json::json!({ "missed": 0 }));
    let section = &report["segmentation"];
    assert_eq!(section["rois"], serde_json::json!([ROI]));
    assert_eq!((&section["missed"], &section["spurious"]), (&Value::from(57), &Value::from(3)));
    assert_eq!(section["measured"], 71 + 73 + 70 + 9);
    let synthesis = &report["synthesis"]["dice"];
    assert_eq!((&synthesis["k"], &synthesis["scale"]), (&Value::from(3), &Value::from("identity")));
    assert_eq!(report["synthesis"]["dice_misses_zero"]["k"], 4);
    let counted = &report["verdicts"][1];
    assert_eq!((&counted["metric"], &counted["k"]), (&"dice_misses_zero".into(), &4.into()));
    assert_eq!(counted["worst_site"]["site"], "blind", "nobody escapes by missing");
    let verdict = &report["verdicts"][0];
    assert_eq!(verdict["worst_site"]["site"], "south", "its model errs the most");
    assert!(report["synthesis"].get("auroc").is_none());
}
