//! What the agent takes: images of any class, in any transfer syntax that the decoder reads.
//!
//! A context has one syntax alone: of several the other side would choose one, and decompress for it.

use std::collections::BTreeSet;

use dicom_dictionary_std::uids;

use super::association::Offer;
use crate::decode::reads_syntax;

/// Retired, and still what old archives hold.
const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Those that the decoder reads, the most frequent first.
const SYNTAXES: [&str; 18] = [
    uids::EXPLICIT_VR_LITTLE_ENDIAN,
    uids::IMPLICIT_VR_LITTLE_ENDIAN,
    uids::JPEG_LOSSLESS_SV1,
    uids::JPEG2000_LOSSLESS,
    uids::JPEGLS_LOSSLESS,
    uids::JPEG_BASELINE8_BIT,
    uids::JPEG_EXTENDED12_BIT,
    uids::JPEG2000,
    uids::RLE_LOSSLESS,
    uids::JPEGLS_NEAR_LOSSLESS,
    uids::JPEG_LOSSLESS,
    uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN,
    uids::HTJ2K_LOSSLESS,
    uids::HTJ2K_LOSSLESS_RPCL,
    uids::HTJ2K,
    uids::DEFLATED_IMAGE_FRAME_COMPRESSION,
    EXPLICIT_VR_BIG_ENDIAN,
];
/// Of the above, those that are offered where the class is not known.
const FREQUENT: usize = 9;
/// The classes that are offered where a PACS does not say of which an instance is. An association
/// holds 128 contexts.
const CLASSES: [&str; 14] = [
    uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE,
    uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
    uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
    uids::DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
    uids::CT_IMAGE_STORAGE,
    uids::ENHANCED_CT_IMAGE_STORAGE,
    uids::MR_IMAGE_STORAGE,
    uids::ENHANCED_MR_IMAGE_STORAGE,
    uids::ULTRASOUND_IMAGE_STORAGE,
    uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE,
    uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
    uids::NUCLEAR_MEDICINE_IMAGE_STORAGE,
    uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE,
    uids::X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE,
];
/// What the UIDs of the standard's storage classes begin with.
const STORAGE: &str = "1.2.840.10008.5.1.4.1.1.";

/// Contexts in which instances of some classes may come; `None` among them where one's class is not known. An
/// association has room for all syntaxes of one class, or for the frequent ones of as many as [`CLASSES`].
pub(super) fn offers(classes: &BTreeSet<Option<&str>>) -> Vec<Offer> {
    let each = |class: &str, syntaxes: &[&str]| -> Vec<Offer> {
        syntaxes.iter().map(|syntax| Offer::of(class, &[*syntax])).collect()
    };
    let known: Option<Vec<&str>> = classes.iter().copied().collect();
    match known.as_deref() {
        Some([class]) => each(class, &SYNTAXES),
        Some(several) if several.len() <= CLASSES.len() => {
            several.iter().flat_map(|class| each(class, &SYNTAXES[..FREQUENT])).collect()
        }
        _ => CLASSES.iter().flat_map(|class| each(class, &SYNTAXES[..FREQUENT])).collect(),
    }
}

/// Whether an instance of `class` may come where `wanted` is expected, if that is known.
pub(super) fn is_expected(class: &str, wanted: Option<&str>) -> bool {
    wanted.map_or_else(|| class.starts_with(STORAGE), |wanted| wanted == class)
}

/// The first syntax that the decoder reads.
pub(super) fn first_read(offered: &[String]) -> Option<&String> {
    offered.iter().find(|syntax| reads_syntax(syntax.trim_end_matches('\0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_read_by_the_decoder_and_fits_into_one_association() {
        assert!(SYNTAXES.iter().all(|syntax| reads_syntax(syntax)));
        assert!(!reads_syntax(uids::JPEG2000MC));
        let of = |classes: &[Option<&str>]| offers(&classes.iter().copied().collect());
        assert_eq!(of(&[Some("1.2")]).len(), SYNTAXES.len());
        assert_eq!(of(&[Some("1.2"), Some("1.3")]).len(), 2 * FREQUENT);
        assert_eq!(of(&[Some("1.2"), None]).len(), CLASSES.len() * FREQUENT);
        let all = of(&[None]);
        assert_eq!(all.len(), 126, "and one to ask with");
        assert!(all.iter().all(|offer| is_expected(&offer.class, None)));
        assert!(all.iter().all(|offer| offer.syntaxes.len() == 1));
    }

    #[test]
    fn the_first_syntax_that_is_read_is_chosen() {
        let offered = ["1.2.840.10008.1.2.4.100", uids::JPEG2000, uids::IMPLICIT_VR_LITTLE_ENDIAN];
        let offered = offered.map(str::to_owned);
        assert_eq!(first_read(&offered).map(String::as_str), Some(uids::JPEG2000));
        assert_eq!(first_read(&offered[..1]), None);
        assert!(is_expected("1.2.3", Some("1.2.3")) && !is_expected("1.2.3", None));
    }
}
