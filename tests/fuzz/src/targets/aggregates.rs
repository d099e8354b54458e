//! What a site reduces its cases to.

use fedval_stats::aggregate::{
    Edges, Histogram, Moments, cluster_sums, delong_sums, joint_rank_sums, probability_sums,
    quantile, rank_sums, rank_sums_of,
};
use fedval_stats::grid::GridScore;
use fedval_stats::pooled_roc::{cell_centre, grid_bin};
use fedval_stats::scale::{Logit, Probability, expit, logit};

use crate::{Target, finite};

pub(super) const TARGETS: &[Target] = &[
    Target {
        entry: "aggregate::rank_sums",
        run: |draw| {
            let (ranks, clusters) = rank_sums(&draw.ranked());
            assert_eq!(clusters.check_against(&ranks), Ok(()));
        },
    },
    Target {
        entry: "aggregate::rank_sums_of",
        run: |draw| {
            let mut cases = draw.ranked();
            let forwards = rank_sums(&cases);
            cases.reverse();
            assert_eq!(rank_sums_of(cases), forwards, "whatever the order of the cases");
        },
    },
    Target {
        entry: "aggregate::delong_sums",
        run: |draw| {
            let cases = draw.list(|draw| (draw.number(), draw.flag()));
            let (scores, mut labels): (Vec<f64>, Vec<bool>) = cases.into_iter().unzip();
            if draw.flag() {
                labels.pop();
            }
            assert!(
                delong_sums(&scores, &labels).is_ok_and(|sums| sums.check().is_ok())
                    || labels.len() != scores.len()
                    || scores.iter().any(|score| score.is_nan())
            );
        },
    },
    Target {
        entry: "aggregate::joint_rank_sums",
        run: |draw| {
            let labels = draw.list(super::super::Draw::flag);
            let tests = 1 + draw.below(3);
            let keys: Vec<Vec<i64>> = (0..tests)
                .map(|_| labels.iter().map(|_| i64::try_from(draw.below(5)).unwrap_or(0)).collect())
                .collect();
            let sums = joint_rank_sums(&keys, &labels);
            assert!(sums.is_ok_and(|sums| sums.check().is_ok()));
        },
    },
    Target {
        entry: "aggregate::cluster_sums",
        run: |draw| {
            let rows = draw.list(|draw| (u32::from(draw.flag()), draw.count()));
            let _ = cluster_sums(rows).check();
        },
    },
    Target {
        entry: "aggregate::probability_sums",
        run: |draw| {
            let micro =
                |draw: &mut crate::Draw<'_>| u32::try_from(draw.count()).unwrap_or(1_000_000);
            let rows = draw.list(|draw| (micro(draw).min(1_000_000), draw.flag()));
            assert!(probability_sums(rows).check().is_ok());
        },
    },
    Target {
        entry: "aggregate::quantile",
        run: |draw| finite(quantile(&draw.numbers(), draw.share())),
    },
    Target {
        entry: "aggregate::Moments",
        run: |draw| {
            let moments = |draw: &mut crate::Draw<'_>| Moments::of(draw.numbers());
            let (Ok(one), Ok(other)) = (moments(draw), moments(draw)) else { return };
            let both = one.merge(other);
            assert_eq!(both, other.merge(one));
            finite([both.mean(), both.sd()].into_iter().flatten());
        },
    },
    Target {
        entry: "aggregate::Histogram",
        run: |draw| {
            let Ok(edges) = Edges::new(draw.numbers()) else { return };
            let one = Histogram::of(edges.clone(), draw.numbers());
            let other = Histogram::of(edges, draw.numbers());
            assert_eq!(one.clone().merge(&other), other.merge(&one));
        },
    },
    Target {
        entry: "pooled_roc::grid_bin",
        run: |draw| {
            if let Ok(logit) = Logit::new(draw.number()) {
                assert!(grid_bin(GridScore::from_logit(logit)) < 1_024);
            }
            if let Ok(probability) = Probability::new(draw.share()) {
                assert!(grid_bin(GridScore::from_probability(probability)) < 1_024);
            }
        },
    },
    Target {
        entry: "pooled_roc::cell_centre",
        run: |draw| {
            if let Ok(logit) = Logit::new(draw.number()) {
                let score = GridScore::from_logit(logit);
                let centre = cell_centre(score);
                assert_eq!(grid_bin(centre), grid_bin(score));
                assert_eq!(cell_centre(centre), centre);
            }
        },
    },
    Target {
        entry: "scale::expit",
        run: |draw| {
            let x = draw.number();
            assert!(x.is_nan() || (0.0..=1.0).contains(&expit(x)));
        },
    },
    Target {
        entry: "scale::logit",
        run: |draw| {
            let p = draw.share();
            assert!(!(p > 0.0 && p < 1.0) || logit(p).is_finite());
        },
    },
];
