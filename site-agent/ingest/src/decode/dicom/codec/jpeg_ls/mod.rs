//! JPEG-LS (ISO/IEC 14495-1), lossless and nearly so: what DICOM uses of it, so neither mapping
//! tables nor restart markers.
//!
//! Our own, as there is no decoder in Rust that is kept and reads colour, and the one in C++ would
//! bring a build of C++ and memory that is not safe.

mod bits;
mod context;
mod parameters;
mod scan;

use super::jpeg_header::segment;
use super::{Colours, Decoded, JpegHeader, checked_header};
use crate::decode::dicom::description::Description;
use crate::decode::dicom::samples::Samples;
use crate::decode::fault::ImageFault;
use parameters::Parameters;
use scan::{Line, Scan};

/// The marker of a JPEG-LS frame.
const FRAME: u8 = 0xf7;
/// Starts a scan.
const SCAN: u8 = 0xda;
/// Presets parameters.
const PRESET: u8 = 0xf8;

/// How the components of a scan are mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interleave {
    /// A scan for each.
    None,
    /// Line by line.
    Line,
    /// Sample by sample.
    Sample,
}

/// What a scan says of itself.
struct ScanHeader {
    components: usize,
    near: i64,
    interleave: Interleave,
}

pub(super) fn decode(frame: &[u8], description: &Description) -> Result<Decoded, ImageFault> {
    let header = checked_header(frame, description)?;
    if header.process != FRAME || header.precision < 2 {
        return Err(ImageFault::Codestream);
    }
    let pixels = description.size.pixels();
    let mut planes = vec![vec![0; pixels]; header.components.into()];
    let mut presets: Option<&[u8]> = None;
    let mut done = 0;
    let mut rest = frame.get(2..).ok_or(ImageFault::Corrupt)?;
    while done < planes.len() {
        let (marker, segment, after) = segment(rest).ok_or(ImageFault::PixelCount)?;
        match marker {
            PRESET => presets = Some(segment),
            SCAN => {
                let scan = scan_header(segment, &header)?;
                let planes = planes.get_mut(done..done + scan.components);
                let parameters = parameters(presets, &header, scan.near)?;
                let planes = planes.ok_or(ImageFault::Corrupt)?;
                read_scan(after, &scan, parameters, description.size.width, planes)?;
                done += scan.components;
                rest = after_scan(after);
                continue;
            }
            // Another number of lines, or restarts: nobody writes them into DICOM.
            0xdc | 0xdd => return Err(ImageFault::TransferSyntax),
            _ => {}
        }
        rest = after;
    }
    Ok(Decoded {
        samples: Samples::Narrow(planes.concat()),
        is_planar: true,
        colours: Colours::AsDescribed,
    })
}

fn parameters(
    presets: Option<&[u8]>,
    header: &JpegHeader,
    near: i64,
) -> Result<Parameters, ImageFault> {
    match presets {
        Some(segment) => Parameters::preset(segment, header.precision, near),
        None => Ok(Parameters::by_default(header.precision, near)),
    }
}

fn scan_header(segment: &[u8], header: &JpegHeader) -> Result<ScanHeader, ImageFault> {
    let (components, rest) = segment.split_first().ok_or(ImageFault::Corrupt)?;
    let components = usize::from(*components);
    let (_, [near, interleave, _, ..]) =
        rest.split_at_checked(2 * components).ok_or(ImageFault::Corrupt)?
    else {
        return Err(ImageFault::Corrupt);
    };
    let interleave = match (interleave, components) {
        (_, 1) => Interleave::None,
        (1, 3) => Interleave::Line,
        (2, 3) => Interleave::Sample,
        _ => return Err(ImageFault::Corrupt),
    };
    let near = i64::from(*near);
    let most = ((1_i64 << header.precision) - 1) / 2;
    if near > most {
        Err(ImageFault::Corrupt)
    } else {
        Ok(ScanHeader { components, near, interleave })
    }
}

fn read_scan(
    bytes: &[u8],
    header: &ScanHeader,
    parameters: Parameters,
    width: usize,
    planes: &mut [Vec<u16>],
) -> Result<(), ImageFault> {
    let mut scan = Scan::new(bytes, parameters);
    let mut lines: Vec<Line> = planes.iter().map(|_| Line::new(width)).collect();
    let rows = planes.first().map_or(0, |plane| plane.len() / width);
    for row in 0..rows {
        match header.interleave {
            Interleave::Sample => scan.read(&mut lines)?,
            Interleave::None | Interleave::Line => {
                for line in &mut lines {
                    scan.read(std::slice::from_mut(line))?;
                }
            }
        }
        for (plane, line) in planes.iter_mut().zip(&lines) {
            plane[row * width..][..width].copy_from_slice(line.samples());
        }
    }
    Ok(())
}

/// What follows the bits of a scan: the next marker.
fn after_scan(bytes: &[u8]) -> &[u8] {
    let marker = bytes.windows(2).position(|pair| pair[0] == 0xff && pair[1] >= 0x80);
    marker.map_or(&[], |place| &bytes[place..])
}
