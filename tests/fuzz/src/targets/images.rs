//! Masks, boxes, lesions, maps.

use fedval_stats::detection::{
    BoundingBox, Candidate, CountsAtScores, Detection, DetectionCounts, Froc, ImageBoxes, Lesion,
    ReferenceBox, average_precision, match_boxes, match_scan,
};
use fedval_stats::localisation::Explanation;
use fedval_stats::segmentation::{MissesAsZero, SurfaceDistances, overlap, surfel, voxel_border};
use ndarray::{ArrayD, IxDyn};

use crate::draw::Draw;
use crate::{Target, finite};

fn counts_at_scores(draw: &mut Draw<'_>) -> CountsAtScores {
    let at = draw.list(|draw| (draw.count(), draw.count()));
    CountsAtScores { lesions: draw.count(), at }
}

fn distances(found: &SurfaceDistances, draw: &mut Draw<'_>) {
    finite([found.hausdorff(), found.average_symmetric()]);
    finite(found.hausdorff_percentile(draw.share()));
    finite(found.normalised_surface_dice(draw.number()));
}

fn bounding_box(draw: &mut Draw<'_>) -> BoundingBox {
    BoundingBox { x: draw.number(), y: draw.number(), width: draw.number(), height: draw.number() }
}

fn place(draw: &mut Draw<'_>) -> [f64; 3] {
    [draw.number(), draw.share(), draw.share()]
}

fn scan(draw: &mut Draw<'_>) -> (Vec<Lesion>, Vec<Candidate>) {
    let lesions = draw.list(|draw| Lesion {
        centre: place(draw),
        diameter_mm: draw.number(),
        excluded: draw.flag(),
    });
    let candidate =
        |draw: &mut Draw<'_>| Candidate { place: place(draw), probability: draw.share() };
    (lesions, draw.list(candidate))
}

pub(super) const TARGETS: &[Target] = &[
    Target {
        entry: "segmentation::overlap",
        run: |draw| {
            let Some(masks) = draw.masks() else { return };
            let overlap = overlap(&masks);
            finite([overlap.dice(), overlap.iou(), overlap.precision()].into_iter().flatten());
        },
    },
    Target {
        entry: "segmentation::voxel_border",
        run: |draw| {
            let Some(masks) = draw.masks() else { return };
            if let Ok(found) = voxel_border(&masks) {
                distances(&found, draw);
            }
        },
    },
    Target {
        entry: "segmentation::surfel",
        run: |draw| {
            let Some(masks) = draw.masks() else { return };
            if let Ok(found) = surfel(&masks) {
                distances(&found, draw);
            }
        },
    },
    Target {
        entry: "detection::match_scan",
        run: |draw| {
            let (lesions, candidates) = scan(draw);
            let Ok(findings) = match_scan(&lesions, &candidates) else { return };
            let _ = DetectionCounts::of(std::slice::from_ref(&findings), &[draw.share()]);
            let Ok(froc) = Froc::of(&[findings]) else { return };
            finite([froc.cpm()]);
            finite(froc.sensitivity_at(draw.number()));
        },
    },
    Target {
        entry: "detection::match_boxes",
        run: |draw| {
            let references =
                draw.list(|draw| ReferenceBox { place: bounding_box(draw), excluded: draw.flag() });
            let detections =
                draw.list(|draw| Detection { place: bounding_box(draw), score: draw.share() });
            let lesions = references.iter().filter(|reference| !reference.excluded).count();
            let Ok(found) = match_boxes(&references, &detections, draw.share()) else { return };
            assert_eq!(found.hits.len() as u64 + found.missed, lesions as u64);
        },
    },
    Target {
        entry: "detection::average_precision",
        run: |draw| {
            let images = draw.list(|draw| {
                let detection = |draw: &mut Draw<'_>| Detection {
                    place: bounding_box(draw),
                    score: draw.share(),
                };
                ImageBoxes { references: draw.list(bounding_box), detections: draw.list(detection) }
            });
            let found = average_precision(&images, draw.share());
            finite(found.iter().flat_map(|found| [found.average_precision, found.recall]));
        },
    },
    Target {
        entry: "detection::CountsAtScores",
        run: |draw| {
            let counts = counts_at_scores(draw);
            finite(counts.average_precision());
            let patients = draw.list(counts_at_scores);
            finite(counts.average_precision_error(&patients));
        },
    },
    Target {
        entry: "segmentation::MissesAsZero",
        run: |draw| {
            let found = MissesAsZero::new(draw.count(), draw.number(), draw.number(), draw.count());
            finite(found.iter().flat_map(|of| [of.mean, of.sd]));
        },
    },
    Target {
        entry: "localisation::Explanation",
        run: |draw| {
            let (height, width) = (draw.below(5), draw.below(5));
            let heat = ArrayD::from_shape_fn(IxDyn(&[height, width]), |_| draw.number());
            let mask = ArrayD::from_shape_fn(IxDyn(&[height, width]), |_| draw.flag());
            let Ok(map) = Explanation::new(&heat, &mask) else { return };
            let _ = map.pointing_hit();
            finite(
                [map.energy_inside(), map.mass_concentration(), map.pixel_auroc()]
                    .into_iter()
                    .flatten(),
            );
            finite(map.top_overlap(draw.share()).map(|top| top.iou()));
        },
    },
];
