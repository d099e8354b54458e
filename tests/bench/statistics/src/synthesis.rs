//! Synthesis over sites.

use fedval_stats::synthesis::{SiteEstimates, Tau2Method, Test, random_effects};
use serde_json::{Value, json};

use crate::noise::Noise;
use crate::{BenchError, median};

/// Fits in one measurement: one alone is shorter than a clock is exact.
const FITS: u32 = 100;

pub(crate) fn time(sites: usize, repeat: usize) -> Result<Value, BenchError> {
    let mut noise = Noise::new();
    let vi: Vec<f64> = (0..sites).map(|_| 0.02 + 0.1 * noise.uniform()).collect();
    let yi = vi.iter().map(|v| 1.8 + 0.3 * noise.normal() + v.sqrt() * noise.normal()).collect();
    let sites = SiteEstimates::new(yi, vi)?;
    let (seconds, fit) = median(repeat, || {
        let mut fit = random_effects(&sites, Tau2Method::Reml, Test::HartungKnapp, 0.95)?;
        for _ in 1..FITS {
            fit = random_effects(&sites, Tau2Method::Reml, Test::HartungKnapp, 0.95)?;
        }
        Ok(fit)
    })?;
    let seconds = seconds / f64::from(FITS);
    Ok(json!({"what": "synthesis", "sites": sites.k(), "seconds": seconds, "tau2": fit.tau2}))
}
