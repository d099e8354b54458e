//! Contours on a single image: those in its plane.
//!
//! An image says where its plane lies, and not how far the next slices are. A contour is the image's own where it lies
//! in that plane, to a tenth of a pixel's side. Any other is another slice's: where one of the file lies in the plane,
//! the file's slices are the image's, however thin they are. Where none does, one that is nearer than [`NEAR`] may or
//! may not be meant for the image, and is refused. Where those on either side have voxels in common and none lies
//! between, the image shows a slice that was left out, and no slice without the structure.

use super::{Outline, PLANE_SHARE, Placed, Places, Slicing, common, share_frame};
use crate::decode::fault::ImageFault;
use crate::decode::mask::contours::{Contour, Contours};
use crate::decode::mask::{Mask, Voxels};

/// The axis across an image, among those of its grid of one slice.
const ACROSS: usize = 0;

/// How near to an image's plane, in sides of a pixel, a contour may be meant for it. Below one half: slices as far
/// apart as a pixel or half a pixel is wide are common, and their places are rounded.
const NEAR: f64 = 0.45;

/// The pixels whose middles lie inside the contours of any of the regions. `on` is the image's grid, of a single slice
/// and with a step across that is the smaller side of a pixel.
///
/// # Errors
///
/// [`ImageFault::MaskGrid`] of contours near the plane where none lies in it, in another frame of reference, or of which
/// none lies in the plane and nothing says that they are of the image's frame of reference; [`ImageFault::MaskContour`]
/// of contours across the plane, and [`ImageFault::MaskGap`] where the plane's own was left out.
pub(in crate::decode::mask) fn drawn_on_image(
    contours: &Contours,
    on: &Mask,
) -> Result<Mask, ImageFault> {
    let is_shared = share_frame(contours.frame_of_reference, on.frame_of_reference)?;
    let in_pixels = Places::of(&on.grid)?;
    let slicing = Slicing { shape: on.grid.shape, axis: ACROSS, shift: [0.0; 3] };
    let layers = |region: &Vec<Contour>| {
        Layers::of(region.iter().map(|contour| in_pixels.of_contour(contour)))
    };
    let regions: Vec<Layers> = contours.regions.iter().map(layers).collect::<Result<_, _>>()?;
    let is_any_own = regions.iter().any(|region| !region.own.is_empty());
    if !is_any_own && regions.iter().any(Layers::are_near) {
        return Err(ImageFault::MaskGrid);
    }
    let mut voxels = Voxels::none(on.grid.shape)?;
    for region in &regions {
        if region.own.is_empty() {
            check_no_gap(&slicing, region)?;
        } else {
            let runs = slicing.runs(&outlines(&slicing, &region.own)?)?;
            slicing.add(0, &runs, &mut voxels);
        }
    }
    // Of another acquisition all contours may lie elsewhere, and what is listed and not drawn speaks of no acquisition.
    if !is_any_own && !is_shared {
        return Err(ImageFault::MaskGrid);
    }
    let (grid, frame_of_reference) = (on.grid, on.frame_of_reference);
    Ok(Mask { grid, voxels, cut: None, frame_of_reference })
}

/// A region's contours in the image's plane, and those of the nearest planes on either side.
#[derive(Default)]
struct Layers {
    own: Vec<Placed>,
    before: Nearest,
    behind: Nearest,
}

impl Layers {
    fn of(contours: impl Iterator<Item = Placed>) -> Result<Self, ImageFault> {
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
            } else if at < 0.0 {
                layers.before.keep(-at, contour);
            } else {
                layers.behind.keep(at, contour);
            }
        }
        Ok(layers)
    }

    fn are_near(&self) -> bool {
        self.before.distance.min(self.behind.distance) < NEAR
    }
}

/// The contours of the nearest plane on one side.
struct Nearest {
    /// Of the nearest of them from the image, in sides of a pixel.
    distance: f64,
    contours: Vec<Placed>,
}

impl Default for Nearest {
    fn default() -> Self {
        Self { distance: f64::INFINITY, contours: Vec::new() }
    }
}

impl Nearest {
    /// Adds a contour to those of its plane, or puts it in their place where it is nearer to the image.
    fn keep(&mut self, distance: f64, contour: Placed) {
        let further = distance - self.distance;
        if further > 2.0 * PLANE_SHARE {
            return;
        }
        if further < -2.0 * PLANE_SHARE {
            self.contours.clear();
        }
        self.distance = self.distance.min(distance);
        self.contours.push(contour);
    }
}

/// Refuses a plane without a contour between two whose contours lie above each other.
fn check_no_gap(slicing: &Slicing, layers: &Layers) -> Result<(), ImageFault> {
    let (before, behind) = (&layers.before.contours, &layers.behind.contours);
    if before.is_empty() || behind.is_empty() {
        return Ok(());
    }
    let before = slicing.runs(&outlines(slicing, before)?)?;
    let behind = slicing.runs(&outlines(slicing, behind)?)?;
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
