//! A predicted mask beside the reference standard's.

use fedval_stats::NotEstimable;
use fedval_stats::segmentation::{
    Masks, Presence, SurfaceDistances, overlap, surfel, voxel_border,
};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Value, json};

use super::columns::to_number;
use crate::input::{Input, Malformed};
use crate::output::{cell, joined};

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let shape: Vec<usize> =
        input.at("shape")?.list()?.iter().map(Input::size).collect::<Result<_, _>>()?;
    let mask = |key: &str| {
        let flat = input.at(key)?;
        flat.accept(ArrayD::from_shape_vec(IxDyn(&shape), flat.flags()?))
    };
    let (reference, predicted) = (mask("gt_flat")?, mask("pred_flat")?);
    let masks = Masks::new(&reference, &predicted, &input.at("spacing_mm")?.numbers()?);
    let masks = input.at("spacing_mm")?.accept(masks)?;
    let tolerances = input.at("tolerances_mm")?.numbers()?;
    let counts = overlap(&masks);
    let volume = |voxels: u64| to_number(voxels) * masks.voxel_size();
    let status = match masks.presence() {
        Presence::Both => "ok",
        Presence::Neither => "both_empty",
        Presence::OnlyPredicted => "gt_empty",
        Presence::OnlyReference => "pred_empty",
    };
    let voxels = json!({
        "tp": counts.both,
        "fp": counts.only_predicted,
        "fn": counts.only_reference,
        "voxels_gt": counts.reference(),
        "voxels_pred": counts.predicted(),
        "volume_gt_mm3": volume(counts.reference()),
        "volume_pred_mm3": volume(counts.predicted()),
        "dice": cell(counts.dice()),
        "iou": cell(counts.iou()),
        "status": status,
        "sensitivity": cell(counts.sensitivity()),
        "precision": cell(counts.precision()),
        "relative_volume_difference": cell(counts.relative_volume_difference()),
    });
    let (Ok(by_area), Ok(by_voxel)) = (surfel(&masks), voxel_border(&masks)) else {
        return Ok(voxels);
    };
    let surfaces = json!({
        "surfel": surfel_part(&by_area, &tolerances),
        "voxel_border": border_part(&by_voxel, &tolerances),
    });
    Ok(joined(voxels, surfaces))
}

fn each(tolerances: &[f64], of: impl Fn(f64) -> Result<f64, NotEstimable>) -> Value {
    tolerances.iter().map(|tolerance| cell(of(*tolerance))).collect()
}

fn surfel_part(distances: &SurfaceDistances, tolerances: &[f64]) -> Value {
    let (there, back) = distances.mean_distances();
    json!({
        "hd": distances.hausdorff(),
        "hd95": cell(distances.hausdorff_percentile(0.95)),
        "avg_gt_to_pred": there,
        "avg_pred_to_gt": back,
        "nsd": each(tolerances, |tolerance| distances.normalised_surface_dice(tolerance)),
        "overlap_gt": each(tolerances, |tolerance| {
            distances.overlap_within(tolerance).map(|(reference, _)| reference)
        }),
    })
}

fn border_part(distances: &SurfaceDistances, tolerances: &[f64]) -> Value {
    let (reference, predicted) = distances.pieces();
    json!({
        "hd": distances.hausdorff(),
        "hd95": cell(distances.hausdorff_percentile(0.95)),
        "assd": distances.average_symmetric(),
        "nsd": each(tolerances, |tolerance| distances.normalised_surface_dice(tolerance)),
        "n_border": [reference, predicted],
    })
}
