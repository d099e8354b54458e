//! Over time and under other conditions.

use fedval_stats::aggregate::Edges;
use fedval_stats::control_chart::{
    cusum, ewma, funnel_limits, log_likelihood_cusum, p_chart, shewhart_signal,
};
use fedval_stats::robustness::{Flips, severity_slope};
use fedval_stats::shift::{
    chi_square, hellinger, jensen_shannon_distance, kolmogorov_smirnov, population_stability_index,
    total_variation, wasserstein,
};

use crate::{Target, finite};

pub(super) const TARGETS: &[Target] = &[
    Target {
        entry: "control_chart::cusum",
        run: |draw| {
            let Some(baseline) = draw.baseline() else { return };
            let chart = cusum(&draw.numbers(), &baseline, draw.number(), draw.number());
            finite(chart.iter().flat_map(|chart| chart.above.iter().chain(&chart.below).copied()));
        },
    },
    Target {
        entry: "control_chart::shewhart_signal",
        run: |draw| {
            let Some(baseline) = draw.baseline() else { return };
            let _ = shewhart_signal(&draw.numbers(), &baseline);
        },
    },
    Target {
        entry: "control_chart::ewma",
        run: |draw| {
            let Some(baseline) = draw.baseline() else { return };
            let chart = ewma(&draw.numbers(), &baseline, draw.number(), draw.number());
            finite(
                chart.iter().flat_map(|chart| chart.average.iter().chain(&chart.upper).copied()),
            );
        },
    },
    Target {
        entry: "control_chart::log_likelihood_cusum",
        run: |draw| {
            let rounds = draw.list(|draw| (draw.count(), draw.count()));
            let sums = log_likelihood_cusum(&rounds, draw.share(), draw.share());
            finite(sums.unwrap_or_default());
        },
    },
    Target {
        entry: "control_chart::p_chart",
        run: |draw| {
            let point = p_chart(draw.count(), draw.count(), draw.share());
            finite(point.iter().flat_map(|point| [point.z, point.lower, point.upper]));
        },
    },
    Target {
        entry: "control_chart::funnel_limits",
        run: |draw| {
            let limits = funnel_limits(draw.count(), draw.share(), draw.share());
            finite(limits.iter().flat_map(|(lower, upper)| [*lower, *upper]));
        },
    },
    Target {
        entry: "shift::chi_square",
        run: |draw| {
            let Some(pair) = draw.pair() else { return };
            finite(chi_square(&pair).iter().flat_map(|test| [test.statistic, test.p]));
        },
    },
    Target {
        entry: "shift::kolmogorov_smirnov",
        run: |draw| {
            let Some(pair) = draw.pair() else { return };
            let test = kolmogorov_smirnov(&pair);
            finite([test.statistic, test.p]);
        },
    },
    Target {
        entry: "shift::hellinger",
        run: |draw| {
            let Some(pair) = draw.pair() else { return };
            assert!((0.0..=1.0).contains(&hellinger(&pair)));
        },
    },
    Target {
        entry: "shift::total_variation",
        run: |draw| {
            let Some(pair) = draw.pair() else { return };
            finite([total_variation(&pair)]);
        },
    },
    Target {
        entry: "shift::jensen_shannon_distance",
        run: |draw| {
            let Some(pair) = draw.pair() else { return };
            finite([jensen_shannon_distance(&pair)]);
        },
    },
    Target {
        entry: "shift::population_stability_index",
        run: |draw| {
            let Some(pair) = draw.pair() else { return };
            finite(population_stability_index(&pair, draw.share()));
        },
    },
    Target {
        entry: "shift::wasserstein",
        run: |draw| {
            let (Some(pair), Ok(edges)) = (draw.pair(), Edges::new(draw.numbers())) else { return };
            finite(wasserstein(&pair, &edges));
        },
    },
    Target {
        entry: "robustness::severity_slope",
        run: |draw| {
            let rows = draw.list(|draw| (draw.number(), draw.number()));
            finite(severity_slope(&rows));
        },
    },
    Target {
        entry: "robustness::Flips",
        run: |draw| {
            let flips = Flips { n: draw.count(), flips: draw.count() };
            finite(flips.share());
            finite(flips.rate(draw.share()).iter().flat_map(|rate| [rate.lower, rate.upper]));
        },
    },
];
