//! Before a study.

use fedval_stats::sample_size::{
    LinearPredictor, PredictionPlan, auroc_cases, auroc_width, calibration_slope_cases,
    releasable_site_cases, sensitivity_positives, sites_for_prediction,
};

use crate::{Target, finite};

pub(super) const TARGETS: &[Target] = &[
    Target {
        entry: "sample_size::auroc_cases",
        run: |draw| {
            let _ = auroc_cases(draw.share(), draw.share(), draw.number(), draw.share());
        },
    },
    Target {
        entry: "sample_size::auroc_width",
        run: |draw| finite(auroc_width(draw.share(), draw.share(), draw.count(), draw.share())),
    },
    Target {
        entry: "sample_size::sensitivity_positives",
        run: |draw| {
            let _ = sensitivity_positives(draw.share(), draw.number(), draw.share());
        },
    },
    Target {
        entry: "sample_size::calibration_slope_cases",
        run: |draw| {
            let predictor = if draw.flag() {
                LinearPredictor::Normal { mean: draw.number(), standard_deviation: draw.number() }
            } else {
                LinearPredictor::Binormal { auc: draw.share(), prevalence: draw.share() }
            };
            let _ = calibration_slope_cases(predictor, draw.number(), draw.share());
        },
    },
    Target {
        entry: "sample_size::sites_for_prediction",
        run: |draw| {
            let plan = PredictionPlan {
                auc: draw.share(),
                prevalence: draw.share(),
                tau: draw.number(),
                cases: draw.count(),
            };
            let (width, level) = (draw.number(), draw.share());
            finite(plan.width(draw.count(), level));
            finite(plan.least_width(level));
            let _ = sites_for_prediction(&plan, width, level);
        },
    },
    Target {
        entry: "sample_size::releasable_site_cases",
        run: |draw| {
            let _ = releasable_site_cases(draw.share(), draw.count() % 1_000, draw.share());
        },
    },
];
