//! What a scan has learned so far (ISO/IEC 14495-1, Annex A.2 to A.7).

use super::parameters::Parameters;

/// Contexts of samples whose neighbourhood is not flat.
const REGULAR: usize = 365;
/// Bounds of the correction of a prediction.
const CORRECTION: std::ops::RangeInclusive<i64> = -128..=127;

/// The statistics of one context.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// Sum of the errors' magnitudes.
    magnitude: i64,
    /// Sum of the errors.
    bias: i64,
    pub(super) correction: i64,
    /// Samples counted, at least 1.
    count: i64,
}

impl Context {
    /// Bits that are written as they are: the least that make `count` reach `magnitude`.
    fn width_for(count: i64, magnitude: i64) -> u32 {
        (0..32).find(|width| count << width >= magnitude).unwrap_or(32)
    }

    pub(super) fn width(&self) -> u32 {
        Self::width_for(self.count, self.magnitude)
    }

    /// The error that a code stands for.
    pub(super) const fn error(&self, code: i64, width: u32, near: i64) -> i64 {
        let is_mirrored = near == 0 && width == 0 && 2 * self.bias <= -self.count;
        match (code % 2 == 0, is_mirrored) {
            (true, false) => code / 2,
            (false, false) => -(code + 1) / 2,
            (true, true) => -(code / 2) - 1,
            (false, true) => (code - 1) / 2,
        }
    }

    pub(super) fn learn(&mut self, error: i64, parameters: &Parameters) {
        self.bias += error * parameters.step();
        self.magnitude += error.abs();
        if self.count == parameters.reset {
            self.magnitude >>= 1;
            self.bias >>= 1;
            self.count >>= 1;
        }
        self.count += 1;
        if self.bias <= -self.count {
            self.bias = (self.bias + self.count).max(1 - self.count);
            self.correction = (self.correction - 1).max(*CORRECTION.start());
        } else if self.bias > 0 {
            self.bias = (self.bias - self.count).min(0);
            self.correction = (self.correction + 1).min(*CORRECTION.end());
        }
    }
}

/// The statistics of samples that end a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunContext {
    magnitude: i64,
    count: i64,
    negative: i64,
    /// 1 where the neighbours are alike, otherwise 0.
    alike: i64,
}

impl RunContext {
    pub(super) fn width(&self) -> u32 {
        Context::width_for(self.count, self.magnitude + self.alike * (self.count >> 1))
    }

    /// The error that a code stands for.
    pub(super) const fn error(&self, code: i64, width: u32) -> i64 {
        let code = code + self.alike;
        let is_odd = code % 2 == 1;
        let magnitude = (code + 1) / 2;
        let negative_when_odd = width != 0 || 2 * self.negative >= self.count;
        if negative_when_odd == is_odd { -magnitude } else { magnitude }
    }

    pub(super) fn learn(&mut self, error: i64, code: i64, reset: i64) {
        self.negative += i64::from(error < 0);
        self.magnitude += (code + 1 - self.alike) >> 1;
        if self.count == reset {
            self.magnitude >>= 1;
            self.count >>= 1;
            self.negative >>= 1;
        }
        self.count += 1;
    }
}

/// Everything that a scan has learned.
#[derive(Debug)]
pub(super) struct Contexts {
    pub(super) regular: Vec<Context>,
    /// Unlike neighbours, then like ones.
    pub(super) run: [RunContext; 2],
}

impl Contexts {
    pub(super) fn new(parameters: &Parameters) -> Self {
        let magnitude = ((parameters.range() + 32) / 64).max(2);
        let fresh = Context { magnitude, bias: 0, correction: 0, count: 1 };
        let run = |alike| RunContext { magnitude, count: 1, negative: 0, alike };
        Self { regular: vec![fresh; REGULAR], run: [run(0), run(1)] }
    }
}
