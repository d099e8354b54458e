//! What a model could write into scores, and what counts give away about others.

use fedval_disclosure::bound_bits;
use fedval_stats::grid::GridScore;
use fedval_stats::pooled_roc::cell_centre;
use fedval_stats::proportion::wilson;
use fedval_study::Outcome;

use crate::scene::{Site, ample};

#[test]
fn a09_an_id_in_the_low_bits_of_scores_is_lost_or_bounded() {
    let cases = ample();
    let mut marked = cases.clone();
    for (index, case) in marked.iter_mut().enumerate() {
        // Twelve bits of an id, in steps that change no cell of the coarse grid.
        let centre = cell_centre(case.score).steps();
        let id = i32::try_from(index * 7 % 1000).unwrap() - 500;
        case.score = GridScore::from_steps(centre + id).unwrap();
    }
    // A strict site counts the centres of cells.
    let coarse = |cases: &[crate::support::Case]| {
        let centres = cases
            .iter()
            .map(|case| crate::support::Case { score: cell_centre(case.score), ..*case });
        Site::with("strict").vet("m", &centres.collect::<Vec<_>>()).unwrap()
    };
    assert_eq!(coarse(&cases).bytes(), coarse(&marked).bytes(), "no bit is recovered");
    let standard = Site::standard().vet("m", &marked).unwrap();
    let room = bound_bits(standard.value());
    assert!(room <= 32 * 1024, "{room} bits are shown to the steward, and no more can be said");
    let longest = standard.bytes().len() as u64 * 8;
    assert!(room < longest, "the bound is tighter than the bytes");
}

#[test]
fn a13_rounded_counts_fit_many_cohorts() {
    // 189 positives, which no rounding leaves as they are.
    let cases: Vec<_> = ample().into_iter().skip(1).collect();
    let vetted = Site::with("strict").vet("m", &cases).unwrap();
    let Outcome::ReleasedCoarse(release) = &vetted.value().outcome else { panic!("coarse") };
    let point = &release.overall.operating_points[1];
    let (fn_, n_pos) = (*point.false_negatives.released().unwrap(), release.overall.n_pos);
    assert!(fn_.is_multiple_of(5) && n_pos.is_multiple_of(5));
    // All pairs that are rounded to what was released.
    let nearest = |count: u64| (count + 2) / 5 * 5;
    let fits = |errors: &u64| nearest(*errors) == fn_;
    let pairs = (0..400_u64)
        .filter(|n| nearest(*n) == n_pos)
        .flat_map(|n| (0..=n).filter(fits).map(move |errors| (n, errors)));
    assert!(pairs.count() >= 5, "the pair of counts is not one of many");
    // Nothing finer leaves from which the interval of the raw counts could be had.
    assert!(release.overall.scores.auroc.unwrap().grid_micro >= 5_000);
    let text = String::from_utf8(vetted.bytes().to_vec()).unwrap();
    let raw = cases.iter().filter(|case| case.positive).count();
    let limits = wilson(n_pos - fn_, n_pos, 0.95).unwrap();
    for secret in [format!("{:.3}", limits.lower), format!("\"n_pos\":{raw},")] {
        assert!(!text.contains(&secret), "{secret} is in the bytes");
    }
}
