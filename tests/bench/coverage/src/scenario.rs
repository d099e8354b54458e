//! The grid of scenarios.

use fedval_stats::auroc::hanley_mcneil_se;

/// The mean site's AUROC, and its sensitivity at the locked threshold.
pub(crate) const AUC: f64 = 0.85;
pub(crate) const SENSITIVITY: f64 = 0.85;

/// Images of a patient where patients have several, and how alike their scores are within a class.
pub(crate) const IMAGES: u32 = 2;
pub(crate) const WITHIN_PATIENT: f64 = 0.5;

const SITES: [usize; 4] = [3, 5, 10, 30];
const PATIENTS: [u32; 5] = [30, 100, 300, 1_000, 3_000];
const PREVALENCES: [f64; 4] = [0.02, 0.1, 0.3, 0.5];
const HETEROGENEITIES: [f64; 4] = [0.0, 0.3, 0.6, 0.9];

/// Fewest positives that a site may report.
const FEWEST: u32 = 11;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) sites: usize,
    /// Patients of a site.
    pub(crate) patients: u32,
    pub(crate) positives: u32,
    pub(crate) prevalence: f64,
    /// Share of the variance of a site's logit AUROC that lies between sites.
    pub(crate) i2: f64,
    pub(crate) clustered: bool,
}

impl Scenario {
    pub(crate) const fn negatives(&self) -> u32 {
        self.patients - self.positives
    }

    /// Standard deviation between sites of the logit AUROC.
    pub(crate) fn tau(&self) -> f64 {
        let se = hanley_mcneil_se(AUC, self.positives.into(), self.negatives().into());
        let within = se.unwrap_or(0.0) / (AUC * (1.0 - AUC));
        within * (self.i2 / (1.0 - self.i2)).sqrt()
    }
}

/// Every combination in which a site has enough of both classes.
pub(crate) fn grid() -> Vec<Scenario> {
    let mut grid = Vec::new();
    for clustered in [false, true] {
        for sites in SITES {
            for i2 in HETEROGENEITIES {
                for prevalence in PREVALENCES {
                    for patients in PATIENTS {
                        let positives = rounded(f64::from(patients) * prevalence);
                        if positives >= FEWEST && patients - positives >= FEWEST {
                            grid.push(Scenario {
                                sites,
                                patients,
                                positives,
                                prevalence,
                                i2,
                                clustered,
                            });
                        }
                    }
                }
            }
        }
    }
    grid
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1,500")]
fn rounded(number: f64) -> u32 {
    number.round() as u32
}
