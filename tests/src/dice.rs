//! Numbers for invented patients: the same from every seed, on every machine.

/// Uniform numbers of a linear congruential generator (Knuth's MMIX constants), from a seed.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// From 0 to below 1.
    ///
    /// # Panics
    ///
    /// Never: 32 bits are 32 bits.
    pub fn roll(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).expect("32 bits")) / 4_294_967_296.0
    }

    /// One of the whole numbers below `most`.
    pub fn below(&mut self, most: u32) -> u32 {
        let roll = self.roll() * f64::from(most);
        (0..most).take_while(|n| f64::from(*n) <= roll).last().unwrap_or(0)
    }

    /// A number with so many steps in one.
    pub fn rounded(&mut self, low: f64, high: f64, steps: f64) -> f64 {
        ((low + (high - low) * self.roll()) * steps).round() / steps
    }
}
