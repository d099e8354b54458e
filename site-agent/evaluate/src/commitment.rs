//! A site's commitment to its cohort.

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
    let mut order: Vec<usize> = (0..cohort.cases.len().min(images.len())).collect();
    // The same cohort in another order is the same cohort. Rows are in the order of their texts, which begin with the id, in
    // quotation marks that end it: so no row but the one at hand is in memory.
    order
        .sort_by_cached_key(|place| format!("{:?}", cohort.cases[*place].case_id).into_boxed_str());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    for place in order {
        mac.update(row(cohort, place, images[place]).as_bytes());
    }
    CohortCommitment(Sha256Digest::from_bytes(mac.finalize().into_bytes().into()))
}

fn row(cohort: &Cohort, place: usize, image: Option<Sha256Digest>) -> String {
    let case = &cohort.cases[place];
    let patient = &cohort.patient_ids[case.patient as usize];
    let image = image.map(|digest| digest.to_string());
    // Debug quotes and escapes, so that no two different rows look alike.
    format!("{:?}\n", (&case.case_id, patient, case.reference, image))
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
        Cohort {
            cases: order.iter().map(case).collect(),
            patient_ids: vec!["p".to_owned()],
            unrecorded: Vec::new(),
        }
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
            "a", "a!", "a b", "ab", "a\"", "a\\", "a\n", "A", "", " ", "ä", "a\u{301}", "\u{301}",
            "1", "10", "2",
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
