//! What a chest looks like before a scanner has seen it.

use super::population::{Patient, Sex};
use crate::radiograph::{Blob, Radiograph};
use crate::random::Random;

/// Cells of the coarse grid that soft-tissue texture is drawn on, to each side.
const TEXTURE_CELLS: usize = 13;
/// Pixels of a cell: wider than any lesion.
const CELL: f64 = 8.0;

/// One patient's chest; every image of the patient shows the same one.
#[derive(Debug, Clone)]
pub(super) struct Anatomy {
    /// Column between the lungs.
    middle: f64,
    /// Half the width and half the height of a lung.
    lung: (f64, f64),
    /// Distance of the ribs, and where the first one lies.
    ribs: (f64, f64),
    /// Soft tissue in front of the lower lungs.
    breast: f64,
    texture: Vec<f64>,
    /// Vessels seen end-on: what a lesion is mistaken for.
    vessels: Vec<Blob>,
    lesion: Option<Blob>,
}

/// Row of the lungs' centres.
const LUNG_ROW: f64 = 47.0;
/// Columns from the middle to a lung's centre.
const LUNG_OFFSET: f64 = 21.0;

impl Anatomy {
    /// Draws a patient's chest.
    pub(super) fn draw(patient: &Patient, random: &mut Random) -> Self {
        let female = patient.sex == Sex::Female;
        let mut anatomy = Self {
            middle: 47.5 + random.between(-2.0, 2.0),
            lung: (16.0 * random.between(0.92, 1.08), 34.0 * random.between(0.92, 1.08)),
            ribs: (random.between(12.5, 14.5), random.between(0.0, 14.0)),
            breast: if female { random.between(0.03, 0.08) } else { 0.0 },
            texture: Vec::new(),
            vessels: Vec::new(),
            lesion: None,
        };
        anatomy.texture = texture(patient.age_years, random);
        anatomy.vessels = (0..12).map(|_| anatomy.vessel(random)).collect();
        let spot = anatomy.place(random);
        let scale = random.between(1.5, 2.8);
        // Tissue in front of a lesion scatters: contrast is lost.
        let veil = if female { 0.85 } else { 1.0 };
        anatomy.lesion = patient.lesion_contrast.map(|contrast| Blob {
            x: spot.0,
            y: spot.1,
            scale,
            contrast: veil * contrast,
        });
        anatomy
    }

    /// The chest as X-rays meet it; `shift` moves the patient, in pixels.
    pub(super) fn scene(&self, shift: (f64, f64)) -> Radiograph {
        let mut scene =
            Radiograph::from_fn(|column, row| self.brightness(column - shift.0, row - shift.1));
        for blob in self.vessels.iter().chain(&self.lesion) {
            scene.add_blob(Blob { x: blob.x + shift.0, y: blob.y + shift.1, ..*blob });
        }
        scene
    }

    fn brightness(&self, x: f64, y: f64) -> f64 {
        let from_middle = x - self.middle;
        let abdomen = 0.0012 * (y - 48.0);
        let air = self.air(from_middle.abs() - LUNG_OFFSET, y - LUNG_ROW);
        // Ribs fall off sideways.
        let along = (y - self.ribs.1 - 0.008 * from_middle * from_middle) / self.ribs.0;
        let rib = 0.018 * libm::cos(std::f64::consts::TAU * along);
        let across = (from_middle.abs() - LUNG_OFFSET) / 11.0;
        let below = (y - 64.0) / 11.0;
        let breast = self.breast * libm::exp(-0.5 * (across * across + below * below));
        0.60 + abdomen - 0.20 * air + rib * air + breast + self.texture_at(x, y)
    }

    /// 1 inside a lung, 0 outside, with a soft edge.
    fn air(&self, dx: f64, dy: f64) -> f64 {
        let (u, v) = (dx / self.lung.0, dy / self.lung.1);
        let distance = u * u + v * v;
        libm::exp(-0.7 * distance * distance)
    }

    /// A place well inside one of the lungs, and away from the border of the image.
    fn place(&self, random: &mut Random) -> (f64, f64) {
        let lung = if random.chance(0.5) { 1.0 } else { -1.0 };
        let angle = random.between(0.0, std::f64::consts::TAU);
        let reach = 0.75 * libm::sqrt(random.unit());
        let (sine, cosine) = libm::sincos(angle);
        let x = self.middle + lung * LUNG_OFFSET + reach * self.lung.0 * cosine;
        (x, LUNG_ROW + reach * self.lung.1 * sine)
    }

    fn vessel(&self, random: &mut Random) -> Blob {
        let (x, y) = self.place(random);
        // Mostly faint, now and then one that looks like a lesion.
        let contrast = 0.012 * -libm::log(1.0 - random.unit());
        Blob { x, y, scale: random.between(0.9, 1.7), contrast }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "both indices are clamped to the grid"
    )]
    fn texture_at(&self, x: f64, y: f64) -> f64 {
        let last = 11.999;
        let (u, v) = ((x / CELL).clamp(0.0, last), (y / CELL).clamp(0.0, last));
        let (column, row) = (u as usize, v as usize);
        let (right, down) = (u - libm::floor(u), v - libm::floor(v));
        let at = |row: usize, column: usize| self.texture[row * TEXTURE_CELLS + column];
        (1.0 - down) * ((1.0 - right) * at(row, column) + right * at(row, column + 1))
            + down * ((1.0 - right) * at(row + 1, column) + right * at(row + 1, column + 1))
    }
}

/// Soft tissue; old lungs are more scarred.
fn texture(age_years: u32, random: &mut Random) -> Vec<f64> {
    let scarring = (f64::from(age_years) / 60.0).clamp(0.6, 1.4);
    (0..TEXTURE_CELLS * TEXTURE_CELLS).map(|_| 0.011 * scarring * random.normal()).collect()
}
