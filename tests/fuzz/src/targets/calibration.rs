//! Probabilities beside outcomes.

use fedval_stats::calibration::{
    self, CalibrationBin, Covariance, bin_table, brier_decomposition, brier_scaled, brier_score,
    citl, ece, fit, ici_loess, log_loss, log_oe, mce, recalibration_test,
};

use crate::{Target, finite};

const COVARIANCES: [Covariance; 2] = [Covariance::ModelBased, Covariance::ClusterRobust];

pub(super) const TARGETS: &[Target] = &[
    Target {
        entry: "calibration::fit",
        run: |draw| {
            let rows = draw.calibration_cases();
            for covariance in COVARIANCES {
                let Ok(fit) = fit(&rows, covariance) else { continue };
                finite([fit.intercept, fit.slope, fit.citl, fit.se_citl]);
                finite(fit.covariance.concat());
            }
        },
    },
    Target {
        entry: "calibration::citl",
        run: |draw| {
            let rows = draw.calibration_cases();
            for covariance in COVARIANCES {
                finite(citl(&rows, covariance).iter().flat_map(|found| [found.citl, found.se]));
            }
        },
    },
    Target {
        entry: "calibration::recalibration_test",
        run: |draw| {
            let test = recalibration_test(&draw.calibration_cases());
            finite(test.iter().flat_map(|test| [test.chi_square, test.p]));
        },
    },
    Target {
        entry: "calibration::log_loss",
        run: |draw| finite(log_loss(&draw.calibration_cases())),
    },
    Target { entry: "calibration::brier_score", run: |draw| finite(brier_score(&draw.calls())) },
    Target { entry: "calibration::brier_scaled", run: |draw| finite(brier_scaled(&draw.calls())) },
    Target {
        entry: "calibration::spiegelhalter",
        run: |draw| {
            let test = calibration::spiegelhalter(&draw.calls());
            finite(test.iter().flat_map(|test| [test.z, test.p]));
        },
    },
    Target {
        entry: "calibration::bin_table",
        run: |draw| {
            let bins = bin_table(&draw.calls(), draw.below(40)).unwrap_or_default();
            finite(bins.iter().map(|bin| bin.sum_p));
        },
    },
    Target {
        entry: "calibration::brier_decomposition",
        run: |draw| {
            let bins = draw.list(|draw| CalibrationBin {
                n: draw.count(),
                sum_p: draw.number(),
                events: draw.count(),
            });
            let parts = brier_decomposition(&bins);
            finite(parts.iter().flat_map(|p| [p.reliability, p.resolution, p.uncertainty]));
        },
    },
    Target { entry: "calibration::ece", run: |draw| finite(ece(&draw.calls(), draw.below(40))) },
    Target { entry: "calibration::mce", run: |draw| finite(mce(&draw.calls(), draw.below(40))) },
    Target {
        entry: "calibration::ici_loess",
        run: |draw| {
            let smooth = ici_loess(&draw.calls());
            finite(smooth.iter().flat_map(|s| [s.ici, s.e50, s.e90, s.emax]));
        },
    },
    Target {
        entry: "calibration::log_oe",
        run: |draw| {
            let ratio = log_oe(draw.count(), draw.number(), draw.count());
            finite(ratio.iter().flat_map(|(log, se)| [*log, *se]));
        },
    },
];
