//! Cases told apart: AUROCs of every kind.

use fedval_stats::aggregate::{joint_rank_sums, rank_sums};
use fedval_stats::auroc::{
    self, auc_of, cluster_components, clustered, delong, hanley_mcneil_se, joint_delong,
    logit_interval, logit_scale, negative_component, newcombe5, paired_difference,
    positive_component, unpaired_difference, wald_interval_clipped, welch_test,
};
use fedval_stats::multiclass::{ClassScores, OneVersusRestSums, hand_till, one_versus_rest};
use fedval_stats::multilabel::{ConditionScores, macro_area};
use fedval_stats::pooled_roc::{
    ScoreHistogram, average_precision, pooled_auroc, pooled_average_precision, within_sites,
};
use fedval_stats::{Interval, NotEstimable};
use ndarray::Array2;

use crate::draw::Draw;
use crate::{Target, finite};

fn interval(interval: Result<Interval, NotEstimable>) {
    let Ok(interval) = interval else { return };
    finite([interval.lower, interval.upper]);
    assert!(interval.lower <= interval.estimate && interval.estimate <= interval.upper);
}

fn class_scores(draw: &mut Draw<'_>) -> Option<ClassScores> {
    let classes = 1 + draw.below(4);
    let class = draw.list(|draw| draw.below(classes + 1));
    let keys = Array2::from_shape_fn((class.len(), classes), |_| {
        i64::try_from(draw.below(5)).unwrap_or(0)
    });
    ClassScores::new(class, keys).ok()
}

fn condition_scores(draw: &mut Draw<'_>, patients: usize) -> ConditionScores {
    let key = |draw: &mut Draw<'_>| i64::try_from(draw.below(5)).unwrap_or(0);
    ConditionScores {
        rank_keys: (0..patients).map(|_| key(draw)).collect(),
        reference: (0..patients).map(|_| draw.flag().then(|| draw.flag())).collect(),
    }
}

pub(super) const TARGETS: &[Target] = &[
    Target { entry: "auroc::auc_of", run: |draw| finite(auc_of(&draw.rank_sums())) },
    Target {
        entry: "auroc::delong",
        run: |draw| {
            finite(delong(&draw.rank_sums()).iter().flat_map(|a| [a.auc, a.variance, a.se]));
        },
    },
    Target {
        entry: "auroc::positive_component",
        run: |draw| finite(positive_component(&draw.rank_sums())),
    },
    Target {
        entry: "auroc::negative_component",
        run: |draw| finite(negative_component(&draw.rank_sums())),
    },
    Target {
        entry: "auroc::clustered",
        run: |draw| {
            let (ranks, clusters) = rank_sums(&draw.ranked());
            let ranks = if draw.flag() { draw.rank_sums() } else { ranks };
            finite(clustered(&ranks, &clusters).iter().flat_map(|a| [a.auc, a.variance, a.se]));
        },
    },
    Target {
        entry: "auroc::cluster_components",
        run: |draw| {
            let (ranks, clusters) = rank_sums(&draw.ranked());
            let ranks = if draw.flag() { draw.rank_sums() } else { ranks };
            let parts = cluster_components(&ranks, &clusters);
            finite(parts.iter().flat_map(|of| [of.s10, of.s01, of.s11, of.variance]));
        },
    },
    Target {
        entry: "auroc::interval",
        run: |draw| {
            let (ranks, clusters) = rank_sums(&draw.ranked());
            let clusters = draw.flag().then_some(&clusters);
            interval(auroc::interval(&ranks, clusters, draw.share()).map(|(found, _)| found));
        },
    },
    Target {
        entry: "auroc::logit_interval",
        run: |draw| {
            let Some(area) = draw.auroc() else { return };
            interval(logit_interval(&area, draw.share()));
        },
    },
    Target {
        entry: "auroc::logit_scale",
        run: |draw| {
            let Some(area) = draw.auroc() else { return };
            finite(logit_scale(&area).iter().flat_map(|(y, se)| [*y, *se]));
        },
    },
    Target {
        entry: "auroc::wald_interval_clipped",
        run: |draw| {
            let Some(area) = draw.auroc() else { return };
            interval(wald_interval_clipped(&area, draw.share()));
        },
    },
    Target {
        entry: "auroc::newcombe5",
        run: |draw| interval(newcombe5(draw.share(), draw.count(), draw.count(), draw.share())),
    },
    Target {
        entry: "auroc::hanley_mcneil_se",
        run: |draw| finite(hanley_mcneil_se(draw.share(), draw.count(), draw.count())),
    },
    Target {
        entry: "auroc::joint_delong",
        run: |draw| {
            let labels = draw.list(Draw::flag);
            let keys = vec![labels.iter().map(|_| i64::from(draw.flag())).collect::<Vec<i64>>(); 2];
            let Ok(mut sums) = joint_rank_sums(&keys, &labels) else { return };
            if draw.flag() {
                sums.pos_products[[0, 1]] = draw.wide();
                sums.n_pos = draw.count();
            }
            let joint = joint_delong(&sums);
            finite(joint.iter().flat_map(|joint| joint.covariance.iter().copied()));
        },
    },
    Target {
        entry: "auroc::paired_difference",
        run: |draw| {
            let labels = draw.list(Draw::flag);
            let keys: Vec<Vec<i64>> = (0..2)
                .map(|_| labels.iter().map(|_| i64::try_from(draw.below(5)).unwrap_or(0)).collect())
                .collect();
            let Ok(sums) = joint_rank_sums(&keys, &labels) else { return };
            let Ok(change) = paired_difference(&sums, draw.below(3), draw.below(3)) else { return };
            finite([change.difference, change.se]);
            interval(change.interval(draw.share()));
            finite(change.non_inferiority(draw.number()).iter().flat_map(|(z, p)| [*z, *p]));
        },
    },
    Target {
        entry: "auroc::unpaired_difference",
        run: |draw| {
            let (Some(first), Some(second)) = (draw.auroc(), draw.auroc()) else { return };
            let change = unpaired_difference(&first, &second);
            finite([change.difference, change.se]);
            finite([change.z(), change.p()].into_iter().flatten());
        },
    },
    Target {
        entry: "auroc::welch_test",
        run: |draw| {
            let (one, other) = (draw.rank_sums(), draw.rank_sums());
            let (Ok(first), Ok(second)) = (delong(&one), delong(&other)) else { return };
            let test = welch_test((&first, &one), (&second, &other));
            finite(test.iter().flat_map(|(df, p)| [*df, *p]));
        },
    },
    Target {
        entry: "multiclass::one_versus_rest",
        run: |draw| {
            let Some(scores) = class_scores(draw) else { return };
            let Ok(rest) = one_versus_rest(&OneVersusRestSums::of(&scores)) else { return };
            finite(rest.auc.iter().flatten().copied());
            finite(
                [rest.macro_area(), rest.macro_se(), rest.weighted_area()].into_iter().flatten(),
            );
        },
    },
    Target {
        entry: "multiclass::hand_till",
        run: |draw| {
            let Some(scores) = class_scores(draw) else { return };
            finite(hand_till(&scores));
        },
    },
    Target {
        entry: "multiclass::CrossTable",
        run: |draw| {
            let Some(table) = draw.cross_table() else { return };
            let parts =
                [table.accuracy(), table.balanced_accuracy(), table.macro_f1(), table.matthews()];
            finite(parts.into_iter().flatten());
        },
    },
    Target {
        entry: "multilabel::macro_area",
        run: |draw| {
            let patients = draw.below(12);
            let conditions = draw.list(|draw| condition_scores(draw, patients));
            let Ok(area) = macro_area(&conditions) else { return };
            finite(area.auc.into_iter().chain([area.mean, area.se]));
        },
    },
    Target {
        entry: "pooled_roc::pooled_auroc",
        run: |draw| {
            let Ok(histogram) = ScoreHistogram::new(draw.counts(), draw.counts()) else { return };
            let pooled = pooled_auroc(&histogram);
            finite(pooled.iter().flat_map(|p| [p.mid, p.lower_bound, p.upper_bound]));
        },
    },
    Target {
        entry: "pooled_roc::pooled_average_precision",
        run: |draw| {
            let Ok(histogram) = ScoreHistogram::new(draw.counts(), draw.counts()) else { return };
            finite(pooled_average_precision(&histogram));
        },
    },
    Target {
        entry: "pooled_roc::average_precision",
        run: |draw| finite(average_precision(&draw.ranked())),
    },
    Target {
        entry: "pooled_roc::within_sites",
        run: |draw| finite(within_sites(&draw.list(Draw::rank_sums))),
    },
];
