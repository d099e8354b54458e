//! Contours on a single image: those in its plane.
//!
//! An image says where its plane lies, and not how far the next slices are. A contour is the image's own where it lies in
//! that plane, to a tenth of a pixel's side; one that is nearer than a whole side and not in it may or may not be meant
//! for the image, and is refused. Any further one is another slice's. Where those on either side have voxels in common and
//! none lies between, the image shows a slice that was left out, and no slice without the structure.

use super::{Outline, PLANE_SHARE, Placed, Places, Slicing, common, share_frame};
use crate::decode::fault::ImageFault;
use crate::decode::mask::contours::Contours;
use crate::decode::mask::{Mask, Voxels};

/// The axis across an image, among those of its grid of one slice.
const ACROSS: usize = 0;

/// The pixels whose middles lie inside the contours of any of the regions. `on` is the image's grid, of a single slice
/// and with a step across that is the smaller side of a pixel.
///
/// # Errors
///
/// [`ImageFault::MaskGrid`] of contours near the plane and not in it, in another frame of reference, or of which none lies
/// in the plane and nothing says that they are of the image's frame of reference; [`ImageFault::MaskContour`] of contours
/// across the plane, and [`ImageFault::MaskGap`] where the plane's own was left out.
pub(in crate::decode::mask) fn drawn_on_image(
    contours: &Contours,
    on: &Mask,
) -> Result<Mask, ImageFault> {
    let is_shared = share_frame(contours.frame_of_reference, on.frame_of_reference)?;
    let in_pixels = Places::of(&on.grid)?;
    let slicing = Slicing { shape: on.grid.shape, axis: ACROSS, shift: [0.0; 3] };
    let mut voxels = Voxels::none(on.grid.shape)?;
    let (mut is_any_own, mut is_any) = (false, false);
    for region in &contours.regions {
        let placed = region.iter().map(|contour| in_pixels.of_contour(contour)).collect();
        let layers = Layers::of(placed)?;
        is_any |= !layers.are_none();
        if layers.own.is_empty() {
            check_no_gap(&slicing, &layers)?;
        } else {
            is_any_own = true;
            let runs = slicing.runs(&outlines(&slicing, &layers.own)?)?;
            slicing.add(0, &runs, &mut voxels);
        }
    }
    // Of another acquisition, all contours may lie elsewhere.
    if is_any && !is_any_own && !is_shared {
        return Err(ImageFault::MaskGrid);
    }
    let (grid, frame_of_reference) = (on.grid, on.frame_of_reference);
    Ok(Mask { grid, voxels, cut: None, frame_of_reference })
}

/// A region's contours in the image's plane, and those of the nearest planes on either side.
#[derive(Default)]
struct Layers {
    own: Vec<Placed>,
    before: Vec<Placed>,
    behind: Vec<Placed>,
}

impl Layers {
    fn of(contours: Vec<Placed>) -> Result<Self, ImageFault> {
        let mut layers = Self::default();
        for contour in contours {
            let [least, most] = contour.range(ACROSS);
            // What is no number is not flat.
            let is_flat = most - least <= 2.0 * PLANE_SHARE;
            if !is_flat {
                return Err(ImageFault::MaskContour);
            }
            let at = least.midpoint(most);
            if -PLANE_SHARE <= least && most <= PLANE_SHARE {
                layers.own.push(contour);
            } else if at.abs() < 1.0 {
                return Err(ImageFault::MaskGrid);
            } else if at < 0.0 {
                keep_nearest(&mut layers.before, contour);
            } else {
                keep_nearest(&mut layers.behind, contour);
            }
        }
        Ok(layers)
    }

    fn are_none(&self) -> bool {
        self.own.is_empty() && self.before.is_empty() && self.behind.is_empty()
    }
}

/// Adds a contour to those of its plane, or puts it in their place where it is nearer to the image.
fn keep_nearest(nearest: &mut Vec<Placed>, contour: Placed) {
    let distance = |of: &Placed| {
        let [least, most] = of.range(ACROSS);
        least.midpoint(most).abs()
    };
    if let Some(first) = nearest.first() {
        let further = distance(&contour) - distance(first);
        if further > 2.0 * PLANE_SHARE {
            return;
        }
        if further < -2.0 * PLANE_SHARE {
            nearest.clear();
        }
    }
    nearest.push(contour);
}

/// Refuses a plane without a contour between two whose contours lie above each other.
fn check_no_gap(slicing: &Slicing, layers: &Layers) -> Result<(), ImageFault> {
    if layers.before.is_empty() || layers.behind.is_empty() {
        return Ok(());
    }
    let before = slicing.runs(&outlines(slicing, &layers.before)?)?;
    let behind = slicing.runs(&outlines(slicing, &layers.behind)?)?;
    if common(&before, &behind) > 0 { Err(ImageFault::MaskGap) } else { Ok(()) }
}

/// Contours as the image's rows and columns have them; refused where one reaches beyond the image.
fn outlines(slicing: &Slicing, contours: &[Placed]) -> Result<Vec<Outline>, ImageFault> {
    let outline = |contour: &Placed| -> Result<Outline, ImageFault> {
        let corners = contour.corners.iter().map(|corner| slicing.corner(*corner));
        let corners = corners.collect::<Option<_>>().ok_or(ImageFault::MaskGrid)?;
        Ok(Outline { corners, is_exclusive: contour.is_exclusive })
    };
    contours.iter().map(outline).collect()
}
