//! Explanation maps beside annotated regions.

use fedval_stats::NotEstimable;
use fedval_stats::localisation::{Explanation, TopOverlap};
use ndarray::ArrayD;
use serde_json::{Value, json};

use crate::input::{Input, Malformed};
use crate::output::cell;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let (mut rows, mut hits, mut inside) = (Vec::new(), 0, Vec::new());
    for item in input.at("items")?.list()? {
        let heat = array(&item.at("heat")?, Input::number)?;
        let mask = array(&item.at("mask")?, Input::flag)?;
        let explanation = item.accept(Explanation::new(&heat, &mask))?;
        let top = item.accept(explanation.top_overlap(item.at("top_fraction")?.number()?))?;
        hits += u64::from(explanation.pointing_hit());
        inside.extend(explanation.energy_inside());
        rows.push(row(&explanation, top));
    }
    let mean = if inside.is_empty() {
        Err(NotEstimable::EmptyInput)
    } else {
        Ok(inside.iter().sum::<f64>() / inside.iter().map(|_| 1.0).sum::<f64>())
    };
    Ok(json!({
        "pointing_game": {"hits": hits, "n": rows.len()},
        "rows": rows,
        "energy_inside_mean": cell(mean),
        "energy_inside_n": inside.len(),
    }))
}

/// Lists within lists, of any depth.
fn array<'c, T>(
    input: &Input<'c>,
    read: impl Fn(&Input<'c>) -> Result<T, Malformed>,
) -> Result<ArrayD<T>, Malformed> {
    let (mut shape, mut level) = (Vec::new(), vec![input.clone()]);
    while level.first().is_some_and(|first| first.list().is_ok()) {
        let lists: Vec<Vec<Input<'_>>> = level.iter().map(Input::list).collect::<Result<_, _>>()?;
        shape.push(lists[0].len());
        level = lists.concat();
    }
    let values = level.iter().map(read).collect::<Result<Vec<T>, _>>()?;
    input.accept(ArrayD::from_shape_vec(shape, values))
}

fn row(explanation: &Explanation, top: TopOverlap) -> Value {
    json!({
        "pointing_hit": explanation.pointing_hit(),
        "energy_inside": cell(explanation.energy_inside()),
        "iou_top": top.iou(),
        "dice_top": top.dice(),
        "mass_concentration_ratio": cell(explanation.mass_concentration()),
        "auroc_pixel": cell(explanation.pixel_auroc()),
    })
}
