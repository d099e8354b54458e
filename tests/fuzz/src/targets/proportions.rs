//! Counts of calls.

use fedval_stats::aggregate::{ClusterSums, cluster_sums};
use fedval_stats::decision_curve::net_benefit;
use fedval_stats::fairness::{gap, selection_rate, spread, stratified};
use fedval_stats::multiplicity::{benjamini_hochberg, bonferroni, hochberg, holm};
use fedval_stats::paired::{difference, mcnemar, non_inferiority, tango, wald_difference};
use fedval_stats::proportion::{
    clopper_pearson, clustered, clustered_interval, estimate, fisher_exact, interval_of_error,
    jeffreys, newcombe10, ratio_mean, wilson,
};
use fedval_stats::{Interval, NotEstimable};

use crate::draw::Draw;
use crate::{Target, finite};

fn interval(interval: Result<Interval, NotEstimable>) {
    finite(interval.iter().flat_map(|found| [found.estimate, found.lower, found.upper]));
}

/// Sums of real rows, or any that could come over a wire.
fn sums(draw: &mut Draw<'_>) -> ClusterSums {
    if draw.flag() {
        return cluster_sums(draw.list(|draw| (u32::from(draw.flag()), draw.count() % 2)));
    }
    ClusterSums {
        clusters: draw.count(),
        size: draw.count(),
        total: draw.wide(),
        total_squares: draw.wide(),
        total_by_size: draw.wide(),
        size_squares: draw.count(),
    }
}

/// p-values that are adjusted are p-values.
fn adjusted(draw: &mut Draw<'_>, by: fn(&[f64]) -> Result<Vec<f64>, NotEstimable>) {
    let adjusted = by(&draw.list(Draw::share)).unwrap_or_default();
    assert!(adjusted.iter().all(|p| (0.0..=1.0).contains(p)));
}

pub(super) const TARGETS: &[Target] = &[
    Target {
        entry: "proportion::estimate",
        run: |draw| finite(estimate(draw.count(), draw.count())),
    },
    Target {
        entry: "proportion::interval_of_error",
        run: |draw| {
            let (share, se, clusters) = (draw.share(), draw.number(), draw.count());
            interval(interval_of_error(share, se, clusters, draw.share()));
        },
    },
    Target {
        entry: "proportion::wilson",
        run: |draw| interval(wilson(draw.count(), draw.count(), draw.share())),
    },
    Target {
        entry: "proportion::clopper_pearson",
        run: |draw| interval(clopper_pearson(draw.count(), draw.count(), draw.share())),
    },
    Target {
        entry: "proportion::jeffreys",
        run: |draw| interval(jeffreys(draw.count(), draw.count(), draw.share())),
    },
    Target {
        entry: "proportion::newcombe10",
        run: |draw| {
            let (first, second) = ((draw.count(), draw.count()), (draw.count(), draw.count()));
            interval(newcombe10(first, second, draw.share()));
        },
    },
    Target {
        entry: "proportion::fisher_exact",
        run: |draw| {
            // Its sum runs over the smaller margin.
            let mut count = || draw.count() % 4_096;
            let (first, second) = ((count(), count()), (count(), count()));
            finite(fisher_exact(first, second));
        },
    },
    Target {
        entry: "proportion::clustered",
        run: |draw| {
            let found = clustered(&sums(draw));
            finite(found.iter().flat_map(|p| [p.proportion, p.variance, p.se, p.naive_se]));
        },
    },
    Target {
        entry: "proportion::clustered_interval",
        run: |draw| {
            let sums = sums(draw);
            interval(clustered_interval(&sums, draw.share()));
        },
    },
    Target {
        entry: "proportion::ratio_mean",
        run: |draw| {
            let sums = sums(draw);
            finite(ratio_mean(&sums, draw.share()).iter().flat_map(|(mean, se)| [*mean, *se]));
        },
    },
    Target {
        entry: "decision_curve::net_benefit",
        run: |draw| {
            let Ok(benefit) = net_benefit(&draw.table(), draw.share()) else { return };
            finite([benefit.net_benefit, benefit.treat_all]);
            finite([benefit.standardised, benefit.se].into_iter().flatten());
            finite(benefit.interventions_avoided_per_100);
            interval(benefit.interval(draw.share()));
        },
    },
    Target { entry: "fairness::selection_rate", run: |draw| finite(selection_rate(&draw.table())) },
    Target {
        entry: "fairness::gap",
        run: |draw| {
            // Fisher's test sums over a margin.
            let mut table = || {
                let table = draw.table();
                fedval_stats::aggregate::TwoByTwo {
                    tp: table.tp % 4_096,
                    fn_: table.fn_ % 4_096,
                    fp: table.fp % 4_096,
                    tn: table.tn % 4_096,
                }
            };
            let (group, reference) = (table(), table());
            let Ok(gap) = gap(&group, &reference, draw.share()) else { return };
            [gap.tpr, gap.fpr, gap.ppv].into_iter().for_each(interval);
            finite([gap.tpr_p, gap.fpr_p].into_iter().flatten());
        },
    },
    Target {
        entry: "fairness::spread",
        run: |draw| {
            let Ok(spread) = spread(&draw.list(Draw::table)) else { return };
            finite([spread.tpr, spread.fpr, spread.equalised_odds].into_iter().flatten());
            finite(spread.demographic_parity);
        },
    },
    Target {
        entry: "fairness::stratified",
        run: |draw| {
            let gaps = draw.list(|draw| (draw.number(), draw.number()));
            let Ok(found) = stratified(&gaps[..gaps.len().min(5)], draw.share()) else { return };
            interval(Ok(found.gap));
            finite([found.tau2, found.detectable]);
            finite(found.p);
        },
    },
    Target { entry: "multiplicity::bonferroni", run: |draw| adjusted(draw, bonferroni) },
    Target { entry: "multiplicity::holm", run: |draw| adjusted(draw, holm) },
    Target { entry: "multiplicity::hochberg", run: |draw| adjusted(draw, hochberg) },
    Target {
        entry: "multiplicity::benjamini_hochberg",
        run: |draw| adjusted(draw, benjamini_hochberg),
    },
    Target { entry: "paired::difference", run: |draw| finite(difference(&draw.paired())) },
    Target {
        entry: "paired::wald_difference",
        run: |draw| interval(wald_difference(&draw.paired(), draw.share())),
    },
    Target { entry: "paired::tango", run: |draw| interval(tango(&draw.paired(), draw.share())) },
    Target {
        entry: "paired::non_inferiority",
        run: |draw| {
            let shown = non_inferiority(&draw.paired(), draw.share());
            finite(shown.iter().flat_map(|shown| [shown.z, shown.p_one_sided]));
        },
    },
    Target {
        entry: "paired::mcnemar",
        run: |draw| {
            let Ok(test) = mcnemar(&draw.paired()) else { return };
            finite([test.p, test.exact_p, test.mid_p]);
            finite([test.chi_square, test.chi_square_corrected].into_iter().flatten());
        },
    },
];
