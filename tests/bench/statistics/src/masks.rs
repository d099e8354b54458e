//! Two masks beside each other.

use fedval_stats::segmentation::{Masks, overlap, surfel};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Value, json};

use crate::{BenchError, median};

const SHAPE: [usize; 3] = [128, 256, 256];
const SPACING: [f64; 3] = [2.5, 0.8, 0.8];

/// Dice, HD95 and NSD at 2 mm, under the rule of the software it is compared with.
pub(crate) fn time(repeat: usize) -> Result<Value, BenchError> {
    let (reference, predicted) = (ellipsoid(60.0, 0.0), ellipsoid(57.0, 3.0));
    let (seconds, numbers) = median(repeat, || {
        let masks = Masks::new(&reference, &predicted, &SPACING)?;
        let distances = surfel(&masks)?;
        Ok((
            overlap(&masks).dice()?,
            distances.hausdorff_percentile(0.95)?,
            distances.normalised_surface_dice(2.0)?,
        ))
    })?;
    let (dice, hd95, nsd) = numbers;
    Ok(json!({"what": "masks", "seconds": seconds, "dice": dice, "hd95": hd95, "nsd": nsd}))
}

/// About the middle, `shift` voxels aside, with half axes in millimetres.
fn ellipsoid(radius: f64, shift: f64) -> ArrayD<bool> {
    ArrayD::from_shape_fn(IxDyn(&SHAPE), |at| {
        let offset = |axis: usize| {
            let place = f64::from(u32::try_from(at[axis]).unwrap_or_default());
            let middle = f64::from(u32::try_from(SHAPE[axis]).unwrap_or_default()) / 2.0;
            (place - middle - shift) * SPACING[axis]
                / (radius + 20.0 * f64::from(u8::from(axis == 0)))
        };
        (0..3).map(|axis| offset(axis) * offset(axis)).sum::<f64>() <= 1.0
    })
}
