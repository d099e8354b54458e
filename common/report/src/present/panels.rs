//! Small panels side by side, in rows.

/// How panels of one size stand in a picture.
pub(super) struct Panels {
    /// Panels in a row.
    pub(super) columns: usize,
    /// From one panel's left edge to the next, and from one row to the next.
    pub(super) pitch: [f64; 2],
    /// Corner of the first.
    pub(super) first: [f64; 2],
}

impl Panels {
    /// The upper left corner of the panel with this index.
    pub(super) fn corner(&self, index: usize) -> [f64; 2] {
        let ([left, top], [across, down]) = (self.first, self.pitch);
        [left + steps(index % self.columns, across), top + steps(index / self.columns, down)]
    }

    /// Height of all rows of so many panels.
    pub(super) fn height(&self, panels: usize) -> f64 {
        steps(panels.div_ceil(self.columns), self.pitch[1])
    }
}

fn steps(count: usize, size: f64) -> f64 {
    (0..count).map(|_| size).sum()
}
