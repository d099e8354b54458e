//! The samples of a scan (ISO/IEC 14495-1, Annex A).

use super::bits::Bits;
use super::context::Contexts;
use super::parameters::Parameters;
use crate::decode::fault::ImageFault;

/// Bits that tell the length of a run, by how well runs went so far.
const RUN_BITS: [u32; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];

/// A line of one component, with a sample more at each end: what lies beyond the image.
pub(super) struct Line {
    above: Vec<u16>,
    current: Vec<u16>,
    /// Place in [`RUN_BITS`].
    run: usize,
}

impl Line {
    pub(super) fn new(width: usize) -> Self {
        Self { above: vec![0; width + 2], current: vec![0; width + 2], run: 0 }
    }

    /// Makes the line just decoded the one above.
    pub(super) fn turn(&mut self) {
        std::mem::swap(&mut self.above, &mut self.current);
        let width = self.above.len() - 2;
        self.above[width + 1] = self.above[width];
        self.current[0] = self.above[1];
    }

    /// The samples just decoded.
    pub(super) fn samples(&self) -> &[u16] {
        &self.current[1..self.current.len() - 1]
    }

    fn at(&self, x: usize) -> Neighbours {
        Neighbours {
            left: self.current[x - 1].into(),
            above: self.above[x].into(),
            corner: self.above[x - 1].into(),
            ahead: self.above[x + 1].into(),
        }
    }
}

/// The samples around one that is decoded next.
#[derive(Debug, Clone, Copy)]
struct Neighbours {
    left: i64,
    above: i64,
    /// Above and to the left.
    corner: i64,
    /// Above and to the right.
    ahead: i64,
}

impl Neighbours {
    fn predicted(&self) -> i64 {
        let (low, high) = (self.left.min(self.above), self.left.max(self.above));
        if self.corner >= high {
            low
        } else if self.corner <= low {
            high
        } else {
            self.left + self.above - self.corner
        }
    }

    const fn gradients(&self) -> [i64; 3] {
        [self.ahead - self.above, self.above - self.corner, self.corner - self.left]
    }
}

/// Decodes lines of one scan.
pub(super) struct Scan<'a> {
    bits: Bits<'a>,
    parameters: Parameters,
    contexts: Contexts,
}

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8], parameters: Parameters) -> Self {
        Self { bits: Bits::new(bytes), parameters, contexts: Contexts::new(&parameters) }
    }

    /// The next line of each of `lines` that are coded sample by sample together, usually one.
    pub(super) fn read(&mut self, lines: &mut [Line]) -> Result<(), ImageFault> {
        let width = lines.first().map_or(0, |line| line.current.len() - 2);
        lines.iter_mut().for_each(Line::turn);
        let mut x = 1;
        while x <= width {
            let is_flat = lines.iter().all(|line| self.is_flat(line.at(x)));
            if is_flat {
                x += self.run(lines, x, width)?;
            } else {
                for line in lines.iter_mut() {
                    line.current[x] = self.sample(line.at(x))?;
                }
                x += 1;
            }
        }
        Ok(())
    }

    fn is_flat(&self, around: Neighbours) -> bool {
        around.gradients().iter().all(|gradient| gradient.abs() <= self.parameters.near)
    }

    /// One of nine regions, mirrored about 0.
    fn region(&self, gradient: i64) -> i64 {
        let [t1, t2, t3] = self.parameters.thresholds;
        let magnitude = match gradient.abs() {
            small if small <= self.parameters.near => 0,
            small if small < t1 => 1,
            middle if middle < t2 => 2,
            large if large < t3 => 3,
            _ => 4,
        };
        magnitude * gradient.signum()
    }

    /// A sample outside a run.
    fn sample(&mut self, around: Neighbours) -> Result<u16, ImageFault> {
        let [q1, q2, q3] = around.gradients().map(|gradient| self.region(gradient));
        let place = 81 * q1 + 9 * q2 + q3;
        let sign = if place < 0 { -1 } else { 1 };
        let place = usize::try_from(place.abs()).expect("a magnitude is not negative");
        let context = self.contexts.regular[place];
        let predicted =
            (around.predicted() + sign * context.correction).clamp(0, self.parameters.largest);
        let width = context.width();
        let code = self.code(width, self.parameters.limit())?;
        let error = context.error(code, width, self.parameters.near);
        self.contexts.regular[place].learn(error, &self.parameters);
        Ok(self.reconstructed(predicted, sign * error))
    }

    /// A run of samples like the one before, and the sample that ends it. How many were decoded.
    fn run(&mut self, lines: &mut [Line], x: usize, width: usize) -> Result<usize, ImageFault> {
        let left = width + 1 - x;
        let length = self.run_length(&mut lines[0].run, left)?;
        for line in lines.iter_mut() {
            let value = line.current[x - 1];
            line.current[x..x + length].fill(value);
        }
        if length == left {
            return Ok(length);
        }
        let together = lines.len() > 1;
        let run = lines[0].run;
        for line in lines.iter_mut() {
            line.current[x + length] = self.interruption(line.at(x + length), run, together)?;
        }
        lines[0].run = run.saturating_sub(1);
        Ok(length + 1)
    }

    fn run_length(&mut self, run: &mut usize, left: usize) -> Result<usize, ImageFault> {
        let mut length = 0;
        while self.bits.take_flag()? {
            let whole = 1 << RUN_BITS[*run];
            let taken = whole.min(left - length);
            length += taken;
            if taken == whole {
                *run = (*run + 1).min(RUN_BITS.len() - 1);
            }
            if length == left {
                return Ok(length);
            }
        }
        length += self.bits.take(RUN_BITS[*run])? as usize;
        if length < left { Ok(length) } else { Err(ImageFault::Corrupt) }
    }

    /// The sample that ends a run.
    fn interruption(
        &mut self,
        around: Neighbours,
        run: usize,
        together: bool,
    ) -> Result<u16, ImageFault> {
        let is_alike = !together && (around.left - around.above).abs() <= self.parameters.near;
        let context = self.contexts.run[usize::from(is_alike)];
        let width = context.width();
        let code = self.code(width, self.parameters.limit() - RUN_BITS[run] - 1)?;
        let error = context.error(code, width);
        self.contexts.run[usize::from(is_alike)].learn(error, code, self.parameters.reset);
        if is_alike {
            Ok(self.reconstructed(around.left, error))
        } else {
            let sign = if around.left > around.above { -1 } else { 1 };
            Ok(self.reconstructed(around.above, sign * error))
        }
    }

    /// A Golomb code of at most `limit` bits.
    fn code(&mut self, width: u32, limit: u32) -> Result<i64, ImageFault> {
        let escape = limit - self.parameters.error_bits() - 1;
        let zeros = self.bits.take_zeros(escape)?;
        let code = if zeros < escape {
            i64::from(zeros) << width | i64::from(self.bits.take(width)?)
        } else {
            i64::from(self.bits.take(self.parameters.error_bits())?) + 1
        };
        // Errors are folded into the range: none needs a longer code.
        if code <= 2 * self.parameters.range() { Ok(code) } else { Err(ImageFault::Corrupt) }
    }

    fn reconstructed(&self, predicted: i64, error: i64) -> u16 {
        let Parameters { largest, near, .. } = self.parameters;
        let step = self.parameters.step();
        let value = predicted + error * step;
        let turn = self.parameters.range() * step;
        let value = match value {
            low if low < -near => low + turn,
            high if high > largest + near => high - turn,
            value => value,
        };
        u16::try_from(value.clamp(0, largest)).expect("the largest sample has 16 bits")
    }
}
