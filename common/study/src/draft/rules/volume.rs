//! Models of volumes: what they need, and what only those of pictures have.

use super::Breaches;
use crate::protocol::{
    FrameChoice, GantryTilt, Layout, MaskRule, ModelInput, Monochrome1, Resize, Slab, SlabPooling,
    StudyProtocol, ValueScaling, VolumeInput,
};

/// Most slices of a tensor.
const MOST_SLICES: u32 = 4096;
/// Most voxels of a tensor: a quarter of a gibibyte of them.
const MOST_VOXELS: u64 = 1 << 26;
/// Least and largest distance of two voxels, in millimetres.
const LEAST_SPACING: f64 = 0.01;
const MOST_SPACING: f64 = 100.0;

pub(super) fn check(protocol: &StudyProtocol, found: &mut Breaches) {
    let input = &protocol.model.input;
    let Some(volume) = &input.volume else { return };
    check_size(input, volume, found);
    check_what_pictures_have(input, found);
    found.unless(
        volume.spacing_mm.iter().all(|mm| (LEAST_SPACING..=MOST_SPACING).contains(mm)),
        "model.input.volume.spacing_mm",
        "must be three lengths of 0.01 to 100",
        "write millimetres along depth, height and width, such as [2.0, 1.0, 1.0]",
    );
    found.unless(
        protocol.model.output.form.boxes().is_none(),
        "model.output.form",
        "must be a score or a mask where the model sees volumes",
        "leave it out, or write \"mask\": boxes are read of pictures alone",
    );
    found.unless(
        volume.padding.is_finite(),
        "model.input.volume.padding",
        "must be a finite number",
        "write the value of what is empty",
    );
    found.unless(
        volume.gantry_tilt == GantryTilt::Refuse || protocol.model.output.form.mask().is_none(),
        "model.input.volume.gantry_tilt",
        "cannot be \"resample\" where the model gives masks",
        "leave it out: a mask is compared on the slices as they lie",
    );
    if let Some(slab) = volume.slab {
        check_slab(slab, volume, protocol, found);
    }
}

fn check_size(input: &ModelInput, volume: &VolumeInput, found: &mut Breaches) {
    found.unless(
        (1..=MOST_SLICES).contains(&volume.depth),
        "model.input.volume.depth",
        "must be 1 to 4096 slices",
        "give the size the model was trained on",
    );
    let sides = [volume.depth, input.height, input.width].map(u64::from);
    let voxels = sides.into_iter().fold(1_u64, u64::saturating_mul);
    found.unless(
        voxels <= MOST_VOXELS,
        "model.input.volume",
        "has more than 67108864 voxels",
        "take a coarser spacing or a smaller size",
    );
}

fn check_what_pictures_have(input: &ModelInput, found: &mut Breaches) {
    for (path, holds, remedy) in [
        ("model.input.layout", input.layout == Layout::Nchw, "write \"nchw\": depth is the third"),
        ("model.input.channels", input.channels == 1, "write 1: volumes are grey"),
        ("model.input.resize", input.resize == Resize::Refuse, "leave it out: spacing_mm says it"),
        (
            "model.input.monochrome1",
            input.monochrome1 == Monochrome1::Refuse,
            "leave it out: a volume holds what was measured, whatever is shown white",
        ),
        ("model.input.frame", input.frame == FrameChoice::Only, "leave it out: all are seen"),
        (
            "model.input.scaling",
            input.scaling != ValueScaling::Voi,
            "write \"window\": each slice of a series may have a window of its own",
        ),
    ] {
        found.unless(holds, path, "has no place where the model sees volumes", remedy);
    }
}

fn check_slab(slab: Slab, volume: &VolumeInput, protocol: &StudyProtocol, found: &mut Breaches) {
    let output = &protocol.model.output;
    found.unless(
        (1..=volume.depth).contains(&slab.depth),
        "model.input.volume.slab.depth",
        "must be 1 to the volume's depth",
        "give the slices that the model sees at once",
    );
    found.unless(
        slab.overlap < slab.depth,
        "model.input.volume.slab.overlap",
        "must be less than the slab's depth",
        "leave it out for slabs that lie side by side",
    );
    if let Some(mask) = output.form.mask() {
        // The largest of a channel says nothing of which channel is the highest.
        found.unless(
            slab.pooling == SlabPooling::Mean || mask.rule != MaskRule::Highest,
            "model.input.volume.slab.pooling",
            "cannot be \"max\" where the highest channel counts",
            "write \"mean\", or a threshold as the rule of the mask",
        );
        return;
    }
    found.unless(
        slab.pooling == SlabPooling::Mean || output.values == 1 || output.separate,
        "model.input.volume.slab.pooling",
        "cannot be \"max\" where there are several classes",
        "write \"mean\": the largest of each class are no distribution",
    );
}
