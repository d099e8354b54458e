//! A site's commitment to its cohort.

use std::cmp::Ordering;

use fedval_ingest::Cohort;
use fedval_study::{CohortCommitment, Sha256Digest};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Commits to every case: id, patient, reference standard and image, keyed with a secret of the
/// site, so that nobody else can test whether somebody is in the cohort.
///
/// `images` holds the digest of each case's image file, where it could be read.
pub(crate) fn commit(
    cohort: &Cohort,
    images: &[Option<Sha256Digest>],
    secret: &[u8; 32],
) -> CohortCommitment {
    let cases = u32::try_from(cohort.len().min(images.len())).unwrap_or(u32::MAX);
    let id = |place: u32| cohort.case_id(place as usize).unwrap_or_default();
    let mut order: Vec<([u8; START], u32)> =
        (0..cases).map(|place| (start(id(place)), place)).collect();
    // The same cohort in another order is the same cohort. Rows are in the order of their texts, which begin with the id, in
    // quotation marks that end it: so no row but the one at hand is in memory.
    order.sort_unstable_by(|(one_start, one), (other_start, other)| {
        let by_id = || quoted(id(*one), id(*other)).then(one.cmp(other));
        one_start.cmp(other_start).then_with(by_id)
    });
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    for (_, place) in order {
        mac.update(row(cohort, place as usize, images[place as usize]).as_bytes());
    }
    CohortCommitment(Sha256Digest::from_bytes(mac.finalize().into_bytes().into()))
}

/// So many bytes of an id are sorted by before all of it is looked at.
const START: usize = 16;

/// The first bytes of an id as it stands in a row, the quotation mark that ends it included. No text holds a zero.
fn start(id: &str) -> [u8; START] {
    let mut start = [0; START];
    for (place, byte) in start.iter_mut().zip(format!("{id:?}").bytes().skip(1)) {
        *place = byte;
    }
    start
}

/// Which of two ids comes first as it stands in a row. Most are written there as they are, and no text is made of them.
fn quoted(one: &str, other: &str) -> Ordering {
    let is_plain = |id: &str| {
        id.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
    };
    if is_plain(one) && is_plain(other) {
        return one.bytes().chain([b'"']).cmp(other.bytes().chain([b'"']));
    }
    format!("{one:?}").cmp(&format!("{other:?}"))
}

fn row(cohort: &Cohort, place: usize, image: Option<Sha256Digest>) -> String {
    let id = cohort.case_id(place).unwrap_or_default();
    let patient = cohort.patient(place).and_then(|patient| cohort.patient_id(patient));
    let reference = cohort.reference(place);
    let image = image.map(|digest| digest.to_string());
    // Debug quotes and escapes, so that no two different rows look alike.
    format!("{:?}\n", (id, patient.unwrap_or_default(), reference, image))
}

#[cfg(test)]
mod tests {
    use fedval_ingest::{Attributes, Case, IndexTest};
    use fedval_study::protocol::Reference;

    use super::*;

    fn cohort(order: &[(&str, bool)]) -> Cohort {
        let case = |(id, reference): &(&str, bool)| Case {
            case_id: (*id).to_owned(),
            patient: 0,
            index_test: IndexTest::Image("/x".into()),
            reference: Some(Reference::Condition(*reference)),
            attributes: Attributes::default(),
        };
        Cohort::new(order.iter().map(case), ["p".to_owned()], Vec::new())
    }

    #[test]
    fn order_does_not_matter_but_labels_and_the_secret_do() {
        let images = [None, None];
        let a = commit(&cohort(&[("1", true), ("2", false)]), &images, &[1; 32]);
        let b = commit(&cohort(&[("2", false), ("1", true)]), &images, &[1; 32]);
        let flipped = commit(&cohort(&[("1", true), ("2", true)]), &images, &[1; 32]);
        let other_site = commit(&cohort(&[("1", true), ("2", false)]), &images, &[2; 32]);
        assert_eq!(a, b);
        assert_ne!(a, flipped);
        assert_ne!(a, other_site);
    }

    #[test]
    fn rows_are_in_the_order_of_their_texts_whatever_stands_in_an_id() {
        // Ids of which one begins another, and characters in front of and behind a quotation mark.
        let ids = [
            "a",
            "a!",
            "a b",
            "ab",
            "a\"",
            "a\\",
            "a\n",
            "A",
            "",
            " ",
            "ä",
            "a\u{301}",
            "\u{301}",
            "1",
            "10",
            "2",
            "\0",
            "a\0",
            "a long id of a case 1",
            "a long id of a case 10",
            "a long id of a case 1\"",
            "a long id of a case",
            "a long id of a ",
            "a long id of",
        ];
        let cohort = cohort(&ids.map(|id| (id, true)));
        let images: Vec<_> = ids.iter().map(|id| Some(Sha256Digest::of(id.as_bytes()))).collect();
        let mut rows: Vec<String> =
            images.iter().enumerate().map(|(place, image)| row(&cohort, place, *image)).collect();
        rows.sort_unstable();
        let mut mac = Hmac::<Sha256>::new_from_slice(&[1; 32]).unwrap();
        for row in &rows {
            mac.update(row.as_bytes());
        }
        let expected = Sha256Digest::from_bytes(mac.finalize().into_bytes().into());
        assert_eq!(commit(&cohort, &images, &[1; 32]), CohortCommitment(expected));
    }
}
