//! Volumes as series, and the files of each.

use fedval_tests::dice::Dice;

use crate::dicom_file::{EXPLICIT, element_bytes, padded};

/// Slices of a series, and pixels of a slice along each side.
pub(crate) const SLICES: i16 = 6;
pub(crate) const SIDE: u8 = 8;
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

/// A volume whose values grow from the feet to the head, and are the same all over a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Volume {
    pub(crate) is_positive: bool,
    /// Of the lowest slice.
    base: i16,
    growth: i16,
}

#[expect(clippy::cast_possible_truncation, reason = "small numbers")]
fn whole(value: f64) -> i16 {
    value.round() as i16
}

pub(crate) fn volumes(count: usize) -> Vec<Volume> {
    let mut dice = Dice(17);
    (0..count)
        .map(|index| {
            let is_positive = index % 2 == 1;
            let mut spread = |width: f64| width * (dice.roll() - 0.5);
            let of_condition = if is_positive { 25.0 } else { -25.0 };
            let growth = whole(of_condition + spread(120.0));
            let middle = -100.0 + spread(30.0);
            let base = whole(middle - f64::from(growth) * f64::from(SLICES - 1) / 2.0);
            Volume { is_positive, base, growth }
        })
        .collect()
}

/// One file of a patient.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) patient: usize,
    pub(crate) modality: &'static str,
    pub(crate) kind: &'static str,
    /// Numbers of the series and of the instance in it.
    pub(crate) series: usize,
    pub(crate) instance: i16,
    /// Steps from the lowest slice towards the head.
    pub(crate) head: i16,
    pub(crate) frames: u8,
    pub(crate) value: i16,
}

impl File {
    pub(crate) fn study_uid(patient: usize) -> String {
        format!("1.2.826.0.1.3680043.9.7777.{}", 5000 + patient)
    }

    pub(crate) fn series_uid(patient: usize, series: usize) -> String {
        format!("{}.{series}", Self::study_uid(patient))
    }

    fn uid(&self) -> String {
        format!("{}.{}", Self::series_uid(self.patient, self.series), self.instance)
    }

    /// What is stored is 1024 more than what was measured.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let uid = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            bytes
        };
        let own = self.uid();
        let mut file = head(&uid(&own));
        let count = usize::from(SIDE) * usize::from(SIDE) * usize::from(self.frames);
        let number = |value: u16| value.to_le_bytes().to_vec();
        let mut elements = vec![
            (0x0008, 0x0008, "CS", padded(self.kind)),
            (0x0008, 0x0016, "UI", uid(CT)),
            (0x0008, 0x0018, "UI", uid(&own)),
            (0x0008, 0x0050, "SH", padded(&accession_number(self.patient))),
            (0x0008, 0x0060, "CS", padded(self.modality)),
            (0x0010, 0x0010, "PN", padded("ZZCANARY^PATIENT")),
            (0x0010, 0x0020, "LO", padded(&format!("PATIENTX{}", self.patient))),
            (0x0020, 0x000d, "UI", uid(&Self::study_uid(self.patient))),
            (0x0020, 0x000e, "UI", uid(&Self::series_uid(self.patient, self.series))),
            (0x0020, 0x0013, "IS", padded(&self.instance.to_string())),
            (0x0020, 0x0032, "DS", padded(&format!("-20\\35\\{}", 4 * i32::from(self.head) - 700))),
            (0x0020, 0x0037, "DS", padded("1\\0\\0\\0\\1\\0")),
            (0x0020, 0x0052, "UI", uid("1.2.3.4.5")),
            (0x0028, 0x0002, "US", number(1)),
            (0x0028, 0x0004, "CS", padded("MONOCHROME2")),
            (0x0028, 0x0010, "US", number(SIDE.into())),
            (0x0028, 0x0011, "US", number(SIDE.into())),
            (0x0028, 0x0030, "DS", padded("2\\2")),
            (0x0028, 0x0100, "US", number(16)),
            (0x0028, 0x0101, "US", number(16)),
            (0x0028, 0x0102, "US", number(15)),
            (0x0028, 0x0103, "US", number(1)),
            (0x0028, 0x1052, "DS", padded("-1024")),
            (0x0028, 0x1053, "DS", padded("1")),
            (0x7fe0, 0x0010, "OW", (self.value + 1024).to_le_bytes().repeat(count)),
        ];
        if self.frames > 1 {
            elements.push((0x0028, 0x0008, "IS", padded(&self.frames.to_string())));
        }
        elements.sort_by_key(|(group, element, ..)| (*group, *element));
        for (group, element, form, value) in elements {
            file.extend(element_bytes(group, element, form, &value, true));
        }
        file
    }
}

/// What stands in front of a data set.
fn head(instance: &[u8]) -> Vec<u8> {
    let class = [CT.as_bytes(), b"\0"].concat();
    let syntax = [EXPLICIT.as_bytes(), b"\0"].concat();
    let meta = [
        element_bytes(2, 1, "OB", &[0, 1], true),
        element_bytes(2, 2, "UI", &class, true),
        element_bytes(2, 3, "UI", instance, true),
        element_bytes(2, 0x10, "UI", &syntax, true),
        element_bytes(2, 0x12, "UI", b"1.2.3\0", true),
    ]
    .concat();
    let length = u32::try_from(meta.len()).unwrap().to_le_bytes();
    [vec![0; 128], b"DICM".to_vec(), element_bytes(2, 0, "UL", &length, true), meta].concat()
}

pub(crate) fn accession_number(patient: usize) -> String {
    format!("ZZ{patient:06}")
}

/// The files of a patient's series.
pub(crate) fn series(patient: usize, volume: Volume) -> Vec<File> {
    (0..SLICES)
        .map(|head| File {
            patient,
            modality: "CT",
            kind: "ORIGINAL\\PRIMARY\\AXIAL",
            series: 1,
            // UIDs count in another order than the slices lie.
            instance: (head * 5 + 2) % SLICES,
            head,
            frames: 1,
            value: volume.base + volume.growth * head,
        })
        .collect()
}
