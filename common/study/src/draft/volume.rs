//! From the author's TOML to the input of a model that sees volumes.

use super::reader::Fields;
use crate::protocol::{AxisOrder, GantryTilt, Slab, SlabPooling, ValueScaling, VolumeInput};

/// The table `volume` inside `model.input`; `None` of a model that sees pictures.
pub(super) fn volume_of(input: &Fields<'_, '_, '_>, scaling: ValueScaling) -> Option<VolumeInput> {
    if !input.has("volume") {
        return None;
    }
    let table = input.table("volume", "write a [model.input.volume] table")?;
    let spacing = table.numbers("spacing_mm", "write three lengths, such as [2.0, 1.0, 1.0]");
    // A list of another length breaks a rule, as lengths that are none do.
    let spacing_mm = <[f64; 3]>::try_from(spacing).unwrap_or([0.0; 3]);
    let tilts = [("refuse", GantryTilt::Refuse), ("resample", GantryTilt::Resample)];
    Some(VolumeInput {
        depth: table.count("depth", "give the slices the model was trained on").unwrap_or(1),
        gantry_tilt: table.word_or("gantry_tilt", &tilts, GantryTilt::Refuse).unwrap_or_default(),
        orientation: table
            .parsed("orientation", "write where depth, height and width go, such as \"SPL\"")
            .unwrap_or(AxisOrder::AXIAL),
        spacing_mm,
        padding: padding_of(&table, scaling).unwrap_or(0.0),
        slab: slab_of(&table),
    })
}

/// Black, where the scaling says what that is.
fn padding_of(table: &Fields<'_, '_, '_>, scaling: ValueScaling) -> Option<f64> {
    match scaling {
        ValueScaling::Unit | ValueScaling::Voi => table.number_or("padding", 0.0),
        ValueScaling::Window { low, .. } => table.number_or("padding", low),
        ValueScaling::Modality => {
            table.number("padding", "give the value of what is empty, such as -1024 for air in CT")
        }
    }
}

fn slab_of(table: &Fields<'_, '_, '_>) -> Option<Slab> {
    if !table.has("slab") {
        return None;
    }
    let slab = table.table("slab", "write slab = { depth = 16, pooling = \"max\" }")?;
    let poolings = [("max", SlabPooling::Max), ("mean", SlabPooling::Mean)];
    Some(Slab {
        depth: slab.count("depth", "give the slices the model sees at once").unwrap_or(1),
        overlap: slab.count_or("overlap", 0).unwrap_or(0),
        pooling: slab.word("pooling", &poolings).unwrap_or(SlabPooling::Mean),
    })
}
