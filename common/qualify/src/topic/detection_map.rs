//! Boxes: COCO's average precision.

use fedval_stats::NotEstimable;
use fedval_stats::detection::{
    AveragePrecision, BoundingBox, Detection, ImageBoxes, average_precision,
};
use serde_json::{Value, json};

use super::columns::to_number;
use crate::input::{Input, Malformed};
use crate::output::cell;

const LOW: [f64; 3] = [0.1, 0.2, 0.3];

type Found = Result<AveragePrecision, NotEstimable>;

/// A precision or a recall.
type Part = Result<f64, NotEstimable>;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let classes: Vec<Vec<ImageBoxes>> = classes(input)?;
    // As NumPy spaces them: 0.5, 0.55 … 0.95.
    let step = (0.95 - 0.5) / 9.0;
    let ious: Vec<f64> =
        (0..10).map(|i| if i == 9 { 0.95 } else { 0.5 + f64::from(i) * step }).collect();
    let all: Vec<Vec<Found>> = ious.iter().map(|iou| at(&classes, *iou)).collect();
    let precision = |found: &AveragePrecision| found.average_precision;
    let each = |part: fn(&AveragePrecision) -> f64| -> Vec<Part> {
        all.iter().flatten().map(|found| found.as_ref().map(part).map_err(|e| *e)).collect()
    };
    let low: Vec<Value> =
        LOW.iter().map(|iou| cell(mean(&of(&at(&classes, *iou), precision)))).collect();
    let by_class: Vec<Value> = of(&all[0], precision).into_iter().map(cell).collect();
    Ok(json!({
        "map_50_95": cell(mean(&each(precision))),
        "ap50": cell(mean(&of(&all[0], precision))),
        "ap75": cell(mean(&of(&all[5], precision))),
        "ap_per_iou": all.iter().map(|row| cell(mean(&of(row, precision)))).collect::<Vec<_>>(),
        "ap50_per_class": by_class,
        "ar_100": cell(mean(&each(|found| found.recall))),
        "ap_iou_010_020_030": low,
    }))
}

fn at(classes: &[Vec<ImageBoxes>], iou: f64) -> Vec<Found> {
    classes.iter().map(|images| average_precision(images, iou)).collect()
}

fn of(row: &[Found], part: fn(&AveragePrecision) -> f64) -> Vec<Part> {
    row.iter().map(|found| found.as_ref().map(part).map_err(|reason| *reason)).collect()
}

/// The mean over classes that have a reference box.
fn mean(values: &[Part]) -> Part {
    let values: Vec<f64> = values.iter().filter_map(|value| value.ok()).collect();
    if values.is_empty() {
        return Err(NotEstimable::NoEvents);
    }
    Ok(values.iter().sum::<f64>() / to_number(values.len() as u64))
}

/// For each class the boxes of each image.
fn classes(input: &Input<'_>) -> Result<Vec<Vec<ImageBoxes>>, Malformed> {
    let mut images = input.at("images")?.counts()?;
    // COCO takes images by their number: it decides among equal scores.
    images.sort_unstable();
    images.dedup();
    let count = input.at("n_categories")?.size()?;
    let mut classes = vec![vec![ImageBoxes::default(); images.len()]; count];
    for (key, is_detection) in [("gt", false), ("det", true)] {
        for row in input.at(key)?.list()? {
            let image = row.at("image")?.count()?;
            let class = row.at("cat")?.size()?.wrapping_sub(1);
            let place = images.iter().position(|other| *other == image);
            // What is not evaluated counts for none.
            let (Some(place), Some(boxes)) = (place, classes.get_mut(class)) else { continue };
            let found = bounding_box(&row)?;
            if is_detection {
                let score = row.at("score")?.number()?;
                boxes[place].detections.push(Detection { place: found, score });
            } else {
                boxes[place].references.push(found);
            }
        }
    }
    Ok(classes)
}

fn bounding_box(row: &Input<'_>) -> Result<BoundingBox, Malformed> {
    let numbers = row.at("box")?;
    let [x, y, width, height] = numbers.accept(<[f64; 4]>::try_from(numbers.numbers()?))?;
    Ok(BoundingBox { x, y, width, height })
}
