//! Non-maximum suppression: of boxes that overlap, the one with the highest score stays.
//!
//! Greedy, as detectors are published with it (Felzenszwalb, Girshick, McAllester and Ramanan 2010, section 5.2): a box
//! stays unless it overlaps one that stayed before it by more than the protocol allows. Equal scores are told apart by
//! class and by edges, never by where a row stands, so that no order in which an engine writes them shows.

use std::cmp::Ordering;

use fedval_stats::detection::BoundingBox;
use fedval_study::protocol::Suppression;

/// Thousandths in one.
const MILLE: f64 = 1000.0;

/// A box as the model gave it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    /// Left, upper, right and lower edge in pixels of the frame that the model saw, in this order.
    pub(crate) edges: [f64; 4],
    /// Above 0, up to 1.
    pub(crate) score: f64,
    /// The number that the model writes for its class; 0 where there are none.
    pub(crate) class: f64,
}

impl Candidate {
    fn place(&self) -> BoundingBox {
        let [x0, y0, x1, y1] = self.edges;
        BoundingBox { x: x0, y: y0, width: x1 - x0, height: y1 - y0 }
    }
}

/// The boxes that stay, from the highest score down. Those of different classes suppress each other here: who wants
/// them apart hands in one class.
pub(crate) fn kept(mut candidates: Vec<Candidate>, rule: Suppression) -> Vec<Candidate> {
    candidates.sort_by(order);
    candidates.truncate(usize::try_from(rule.candidates).unwrap_or(usize::MAX));
    let most = f64::from(rule.iou) / MILLE;
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let place = candidate.place();
        if kept.iter().all(|before| before.place().iou(&place) <= most) {
            kept.push(candidate);
        }
    }
    kept
}

/// Which of two boxes goes first: of equal scores the lower class, as in an arg max, then the one further to the left,
/// further up, and the smaller one.
fn order(one: &Candidate, other: &Candidate) -> Ordering {
    let edges = || {
        let pairs = one.edges.iter().zip(&other.edges);
        pairs.map(|(one, other)| one.total_cmp(other)).find(|order| order.is_ne())
    };
    let by_score = other.score.total_cmp(&one.score);
    let by_class = by_score.then_with(|| one.class.total_cmp(&other.class));
    by_class.then_with(|| edges().unwrap_or(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::ClassScope;
    use proptest::prelude::*;

    use super::*;

    const HALF: Suppression =
        Suppression { candidates: 1000, classes: ClassScope::Together, iou: 500 };

    fn square(x: f64, side: f64, score: f64) -> Candidate {
        Candidate { edges: [x, 0.0, x + side, side], score, class: 0.0 }
    }

    fn scores(kept: &[Candidate]) -> Vec<f64> {
        kept.iter().map(|of| of.score).collect()
    }

    #[test]
    fn what_overlaps_a_better_box_goes_and_what_overlaps_one_that_went_stays() {
        // 10 wide, shifted by 3 each: neighbours share 7 of 13, the first and the third 4 of 16.
        let chain = [square(0.0, 10.0, 0.9), square(3.0, 10.0, 0.8), square(6.0, 10.0, 0.7)];
        assert_eq!(scores(&kept(chain.to_vec(), HALF)), [0.9, 0.7]);
        // From the highest score down, whatever the order: here the middle one suppresses both.
        let middle = [square(0.0, 10.0, 0.7), square(3.0, 10.0, 0.9), square(6.0, 10.0, 0.8)];
        assert_eq!(scores(&kept(middle.to_vec(), HALF)), [0.9]);
        let strict = Suppression { iou: 200, ..HALF };
        assert_eq!(scores(&kept(chain.to_vec(), strict)), [0.9]);
        let lax = Suppression { iou: 600, ..HALF };
        assert_eq!(scores(&kept(chain.to_vec(), lax)), [0.9, 0.8, 0.7]);
        assert!(kept(Vec::new(), HALF).is_empty());
    }

    #[test]
    fn an_overlap_of_exactly_the_limit_stays() {
        // 5 of 10 pixels, and 3 of 10.
        let half = Candidate { edges: [0.0, 0.0, 10.0, 1.0], score: 0.9, class: 0.0 };
        let inside = Candidate { edges: [0.0, 0.0, 5.0, 1.0], score: 0.8, class: 0.0 };
        assert_eq!(kept(vec![half, inside], HALF).len(), 2);
        assert_eq!(kept(vec![half, inside], Suppression { iou: 499, ..HALF }).len(), 1);
        let third = Candidate { edges: [7.0, 0.0, 10.0, 1.0], ..inside };
        assert_eq!(kept(vec![half, third], Suppression { iou: 300, ..HALF }).len(), 2);
        assert_eq!(kept(vec![half, third], Suppression { iou: 299, ..HALF }).len(), 1);
    }

    #[test]
    fn of_equal_scores_the_lower_class_then_the_left_upper_and_smaller_box_stays() {
        let base = Candidate { edges: [2.0, 2.0, 12.0, 12.0], score: 0.5, class: 1.0 };
        for first in [
            Candidate { class: 0.0, ..base },
            Candidate { edges: [1.0, 2.0, 12.0, 12.0], ..base },
            Candidate { edges: [2.0, 1.0, 12.0, 12.0], ..base },
            Candidate { edges: [2.0, 2.0, 11.0, 12.0], ..base },
            Candidate { edges: [2.0, 2.0, 12.0, 11.0], ..base },
        ] {
            assert_eq!(kept(vec![base, first], HALF), [first]);
            assert_eq!(kept(vec![first, base], HALF), [first]);
        }
    }

    #[test]
    fn boxes_beyond_the_cap_are_not_looked_at() {
        let apart = [square(0.0, 1.0, 0.2), square(5.0, 1.0, 0.9), square(9.0, 1.0, 0.4)];
        let two = Suppression { candidates: 2, ..HALF };
        assert_eq!(scores(&kept(apart.to_vec(), two)), [0.9, 0.4]);
        // The cap counts boxes before suppression.
        let double = [square(0.0, 2.0, 0.9), square(0.0, 2.0, 0.8), square(9.0, 1.0, 0.4)];
        assert_eq!(scores(&kept(double.to_vec(), two)), [0.9]);
    }

    #[test]
    fn a_box_without_area_overlaps_nothing() {
        let point = Candidate { edges: [1.0, 1.0, 1.0, 1.0], score: 0.5, class: 0.0 };
        assert_eq!(kept(vec![point, point, square(0.0, 4.0, 0.9)], HALF).len(), 3);
    }

    /// Small whole edges and few scores, so that ties and exact overlaps are common.
    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let one = (0_u8..8, 0_u8..8, 0_u8..6, 0_u8..6, 1_u8..5, 0_u8..2);
        let of = |(x, y, width, height, score, class): (u8, u8, u8, u8, u8, u8)| Candidate {
            edges: [x, y, x + width, y + height].map(f64::from),
            score: f64::from(score) / 4.0,
            class: f64::from(class),
        };
        proptest::collection::vec(one.prop_map(of), 0..24)
    }

    proptest! {
        #[test]
        fn no_order_of_rows_shows(
            (one, other) in candidates().prop_flat_map(|c| (Just(c.clone()), Just(c).prop_shuffle())),
            cap in 1_u32..30,
            iou in 1_u32..1000,
        ) {
            let rule = Suppression { candidates: cap, iou, ..HALF };
            prop_assert_eq!(kept(one, rule), kept(other, rule));
        }

        #[test]
        fn what_stays_stays_again_and_what_goes_overlaps_a_better_box(
            given in candidates(), iou in 1_u32..1000,
        ) {
            let rule = Suppression { iou, ..HALF };
            let once = kept(given.clone(), rule);
            prop_assert_eq!(&kept(once.clone(), rule), &once);
            let most = f64::from(iou) / MILLE;
            let overlaps = |one: &Candidate, other: &Candidate| one.place().iou(&other.place()) > most;
            for (at, one) in once.iter().enumerate() {
                prop_assert!(once[..at].iter().all(|before| !overlaps(before, one)));
            }
            for gone in given.iter().filter(|one| !once.contains(one)) {
                prop_assert!(once.iter().any(|stays| stays.score >= gone.score && overlaps(stays, gone)));
            }
        }
    }
}
