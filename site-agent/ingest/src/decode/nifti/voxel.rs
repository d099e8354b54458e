//! A voxel's bytes as the number that the model sees.

use fedval_preprocess::{narrowed, standardised, windowed};
use fedval_study::protocol::{ModelInput, ValueScaling};
use nifti::{Endianness, NiftiHeader, NiftiType};

use crate::decode::fault::ImageFault;

/// How voxels are stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voxel {
    kind: Kind,
    is_little: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    F64,
}

impl Voxel {
    pub(super) fn of(header: &NiftiHeader) -> Result<Self, ImageFault> {
        let kind = match header.data_type() {
            Ok(NiftiType::Uint8) => Kind::U8,
            Ok(NiftiType::Int8) => Kind::I8,
            Ok(NiftiType::Uint16) => Kind::U16,
            Ok(NiftiType::Int16) => Kind::I16,
            Ok(NiftiType::Uint32) => Kind::U32,
            Ok(NiftiType::Int32) => Kind::I32,
            Ok(NiftiType::Float32) => Kind::F32,
            Ok(NiftiType::Float64) => Kind::F64,
            _ => return Err(ImageFault::BitDepth),
        };
        Ok(Self { kind, is_little: header.endianness == Endianness::Little })
    }

    pub(super) const fn bytes(self) -> usize {
        match self.kind {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::F64 => 8,
        }
    }

    pub(super) fn stored(self, bytes: &[u8]) -> f64 {
        match self.kind {
            Kind::U8 => f64::from(self.array::<1>(bytes)[0]),
            Kind::I8 => f64::from(i8::from_le_bytes(self.array(bytes))),
            Kind::U16 => f64::from(u16::from_le_bytes(self.array(bytes))),
            Kind::I16 => f64::from(i16::from_le_bytes(self.array(bytes))),
            Kind::U32 => f64::from(u32::from_le_bytes(self.array(bytes))),
            Kind::I32 => f64::from(i32::from_le_bytes(self.array(bytes))),
            Kind::F32 => f64::from(f32::from_le_bytes(self.array(bytes))),
            Kind::F64 => f64::from_le_bytes(self.array(bytes)),
        }
    }

    /// The bytes with the least first.
    fn array<const N: usize>(self, bytes: &[u8]) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&bytes[..N]);
        if !self.is_little {
            array.reverse();
        }
        array
    }
}

/// From what is stored to what the model sees.
pub(super) struct Number<'i> {
    voxel: Voxel,
    slope: f64,
    intercept: f64,
    shown: Shown,
    input: &'i ModelInput,
}

enum Shown {
    /// The value after slope and intercept.
    Value,
    /// From black to white.
    Between(f64, f64),
}

/// Slope and intercept.
pub(super) fn rescale(header: &NiftiHeader) -> (f64, f64) {
    // A slope of 0 says that there is neither.
    if header.scl_slope == 0.0 {
        (1.0, 0.0)
    } else {
        (f64::from(header.scl_slope), f64::from(header.scl_inter))
    }
}

impl<'i> Number<'i> {
    pub(super) fn of(
        header: &NiftiHeader,
        voxel: Voxel,
        input: &'i ModelInput,
    ) -> Result<Self, ImageFault> {
        let (slope, intercept) = rescale(header);
        let shown = match input.scaling {
            ValueScaling::Modality => Shown::Value,
            ValueScaling::Window { low, high } => Shown::Between(low, high),
            ValueScaling::Voi if header.cal_max > header.cal_min => {
                Shown::Between(header.cal_min.into(), header.cal_max.into())
            }
            ValueScaling::Voi => return Err(ImageFault::ValueMapping),
            ValueScaling::Unit => return Self::unit(voxel, input),
        };
        Ok(Self { voxel, slope, intercept, shown, input })
    }

    /// Of what is stored, by the largest that may be: as in a picture.
    fn unit(voxel: Voxel, input: &'i ModelInput) -> Result<Self, ImageFault> {
        let most = match voxel.kind {
            Kind::U8 => u8::MAX.into(),
            Kind::U16 => u16::MAX.into(),
            Kind::I8 | Kind::I16 | Kind::I32 => return Err(ImageFault::Signed),
            Kind::U32 | Kind::F32 | Kind::F64 => return Err(ImageFault::ValueMapping),
        };
        let shown = Shown::Between(0.0, most);
        Ok(Self { voxel, slope: 1.0, intercept: 0.0, shown, input })
    }

    pub(super) fn of_voxel(&self, bytes: &[u8]) -> f32 {
        let value = self.voxel.stored(bytes) * self.slope + self.intercept;
        let number = match self.shown {
            Shown::Value => value,
            Shown::Between(low, high) => windowed(value, low, high),
        };
        standardised(narrowed(number), self.input)
    }
}
