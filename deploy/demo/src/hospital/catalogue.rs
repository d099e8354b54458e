//! The four hospitals of the demo. Each is there to show one thing; `README.md` says which.

use super::Hospital;
use super::population::Population;
use super::scanner::{Detector, Photometric, Scanner};

/// A modern flat panel: the model's reference.
const LUMEN: Scanner = Scanner {
    manufacturer: "Aurelis",
    model: "Lumen 3",
    detector: Detector::DigitalRadiography,
    bits_stored: 12,
    photometric: Photometric::LargeIsBright,
    blur: 0.6,
    noise: 0.012,
    gain: 1.0,
};

/// Another make of the same class.
const PANORAMA: Scanner = Scanner {
    manufacturer: "Borealis",
    model: "Panorama S",
    detector: Detector::DigitalRadiography,
    bits_stored: 16,
    photometric: Photometric::LargeIsBright,
    blur: 0.8,
    noise: 0.014,
    gain: 0.96,
};

/// Plates and an old reader: soft, grainy, and its software hardens the contrast of the grain.
const VISTA: Scanner = Scanner {
    manufacturer: "Borealis",
    model: "Vista CR",
    detector: Detector::ComputedRadiography,
    bits_stored: 8,
    photometric: Photometric::LargeIsDark,
    blur: 2.4,
    noise: 0.055,
    gain: 1.1,
};

/// A teaching hospital on the scanner that the model was tuned for.
pub const NORTHGATE: Hospital = Hospital {
    id: "northgate",
    title: "Northgate University Hospital",
    seed: 0x4E47,
    population: Population {
        patients: 240,
        prevalence: 0.38,
        women: 0.5,
        mean_age_years: 58.0,
        ethnic_groups: [0.40, 0.32, 0.28],
        imaged_twice: 0.2,
        lesion_contrast: 0.098,
    },
    scanners: &[(LUMEN, 0.65), (PANORAMA, 0.35)],
    damaged: &[],
    unlabelled: &[31, 118],
};

/// A district hospital: fewer cases, found earlier, other scanners; and few Islanders.
pub const RIVERSIDE: Hospital = Hospital {
    id: "riverside",
    title: "Riverside District Hospital",
    seed: 0x5254,
    population: Population {
        patients: 200,
        prevalence: 0.32,
        women: 0.56,
        mean_age_years: 55.0,
        ethnic_groups: [0.47, 0.47, 0.06],
        imaged_twice: 0.15,
        lesion_contrast: 0.094,
    },
    scanners: &[(PANORAMA, 0.55), (LUMEN, 0.45)],
    damaged: &[12, 77, 150],
    unlabelled: &[],
};

/// A charity hospital whose X-ray department is old: here the model fails.
pub const ST_BRIGID: Hospital = Hospital {
    id: "st-brigid",
    title: "St Brigid's Hospital",
    seed: 0x5342,
    population: Population {
        patients: 220,
        prevalence: 0.40,
        women: 0.5,
        mean_age_years: 63.0,
        ethnic_groups: [0.34, 0.34, 0.32],
        imaged_twice: 0.2,
        lesion_contrast: 0.1,
    },
    scanners: &[(VISTA, 0.74), (LUMEN, 0.26)],
    damaged: &[],
    unlabelled: &[],
};

/// A clinic with too few patients for anything about them to leave.
pub const HILLSIDE_CLINIC: Hospital = Hospital {
    id: "hillside-clinic",
    title: "Hillside Clinic",
    seed: 0x4843,
    population: Population {
        patients: 18,
        prevalence: 0.4,
        women: 0.5,
        mean_age_years: 60.0,
        ethnic_groups: [0.5, 0.3, 0.2],
        imaged_twice: 0.1,
        lesion_contrast: 0.1,
    },
    scanners: &[(LUMEN, 1.0)],
    damaged: &[],
    unlabelled: &[],
};

/// All four, in the order of the report.
#[must_use]
pub const fn hospitals() -> [Hospital; 4] {
    [NORTHGATE, RIVERSIDE, ST_BRIGID, HILLSIDE_CLINIC]
}
