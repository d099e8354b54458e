//! Whom a hospital sees.

use crate::random::Random;

/// Ethnic groups of the invented country, as DICOM's Ethnic Group (0010,2160) writes them.
///
/// The generator gives them no influence on any image: a gap between them is chance, and the
/// report has to say so by its interval.
pub const ETHNIC_GROUPS: [&str; 3] = ["Highland", "Lowland", "Island"];

/// Sex, as DICOM's Patient's Sex writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// `F`
    Female,
    /// `M`
    Male,
}

impl Sex {
    /// DICOM's code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Female => "F",
            Self::Male => "M",
        }
    }
}

/// The population of a hospital.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Population {
    /// Number of patients.
    pub patients: u32,
    /// Share with a lesion.
    pub prevalence: f64,
    /// Share of women.
    pub women: f64,
    /// Mean age, in years.
    pub mean_age_years: f64,
    /// Shares of [`ETHNIC_GROUPS`].
    pub ethnic_groups: [f64; 3],
    /// Share of patients who were imaged twice.
    pub imaged_twice: f64,
    /// Median contrast of lesions: how early a hospital's patients come.
    pub lesion_contrast: f64,
}

/// A patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Patient {
    /// Number within the hospital, from 0.
    pub number: u32,
    /// Sex.
    pub sex: Sex,
    /// Age, in whole years.
    pub age_years: u32,
    /// One of [`ETHNIC_GROUPS`].
    pub ethnic_group: &'static str,
    /// Contrast of the lesion, for a patient who has one.
    pub lesion_contrast: Option<f64>,
    /// Number of images.
    pub images: u32,
}

impl Population {
    /// The patient with this number.
    #[must_use]
    pub fn patient(&self, number: u32, random: &mut Random) -> Patient {
        let has_lesion = random.chance(self.prevalence);
        let sex = if random.chance(self.women) { Sex::Female } else { Sex::Male };
        let age_years = self.age_years(random);
        let ethnic_group = ETHNIC_GROUPS[random.index_by_share(self.ethnic_groups.into_iter())];
        let images = if random.chance(self.imaged_twice) { 2 } else { 1 };
        // Drawn for every patient, so that prevalence does not shift the draws that follow.
        let contrast = self.lesion_contrast * libm::exp(0.4 * random.normal());
        let lesion_contrast = has_lesion.then_some(contrast);
        Patient { number, sex, age_years, ethnic_group, lesion_contrast, images }
    }

    /// Normal with a standard deviation of 15 years, adults only.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the age is clamped to 18 to 95"
    )]
    fn age_years(&self, random: &mut Random) -> u32 {
        (self.mean_age_years + 15.0 * random.normal()).clamp(18.0, 95.0) as u32
    }
}
