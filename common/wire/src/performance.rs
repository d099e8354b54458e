//! The aggregates of one group of patients.

use fedval_proto as proto;
use fedval_stats::NotEstimable;
use fedval_stats::aggregate::{
    CalibrationFit, ClusterRankSums, ClusterSums, ProbabilitySums, RankSums, TwoByTwo,
};
use fedval_study::performance::CalibrationOutcome;
use fedval_study::{OperatingPointCounts, PatientCounts, Performance};

use crate::WireError;
use crate::primitive::{enumeration, id, wide_from_wire, wide_to_wire};

pub(crate) fn performance_to_wire(p: &Performance) -> proto::Performance {
    use proto::performance::Calibration;
    proto::Performance {
        patients: Some(proto::PatientCounts {
            total: p.patients.total,
            with_positive: p.patients.with_positive,
            with_negative: p.patients.with_negative,
        }),
        ranks: Some(ranks_to_wire(&p.ranks)),
        rank_clusters: p.rank_clusters.as_deref().map(rank_clusters_to_wire),
        operating_points: p.operating_points.iter().map(point_to_wire).collect(),
        probabilities: Some(proto::ProbabilitySums {
            n: p.probabilities.n,
            events: p.probabilities.events,
            expected_micro: p.probabilities.expected_micro,
            brier_pico: Some(wide_to_wire(p.probabilities.brier_pico)),
        }),
        brier_clusters: Some(clusters_to_wire(&p.brier_clusters)),
        event_clusters: p.event_clusters.as_deref().map(clusters_to_wire),
        calibration: Some(match &p.calibration {
            CalibrationOutcome::Fit(fit) => Calibration::Fit(fit_to_wire(fit)),
            CalibrationOutcome::NotEstimable(reason) => {
                Calibration::NotEstimable(reason_to_wire(*reason).into())
            }
        }),
        ece_micro: p.ece_micro,
    }
}

pub(crate) fn performance_from_wire(p: &proto::Performance) -> Result<Performance, WireError> {
    use proto::performance::Calibration;
    let patients = p.patients.ok_or(WireError::missing("patients"))?;
    let ranks = p.ranks.ok_or(WireError::missing("ranks"))?;
    let probabilities = p.probabilities.ok_or(WireError::missing("probabilities"))?;
    let calibration = match p.calibration.as_ref().ok_or(WireError::missing("calibration"))? {
        Calibration::Fit(fit) => CalibrationOutcome::Fit(fit_from_wire(fit)),
        Calibration::NotEstimable(reason) => CalibrationOutcome::NotEstimable(enumeration(
            "not_estimable",
            *reason,
            reason_from_wire,
        )?),
    };
    Ok(Performance {
        patients: PatientCounts {
            total: patients.total,
            with_positive: patients.with_positive,
            with_negative: patients.with_negative,
        },
        ranks: ranks_from_wire(&ranks),
        rank_clusters: p.rank_clusters.as_ref().map(rank_clusters_from_wire).map(Box::new),
        operating_points: p
            .operating_points
            .iter()
            .map(point_from_wire)
            .collect::<Result<_, _>>()?,
        probabilities: ProbabilitySums {
            n: probabilities.n,
            events: probabilities.events,
            expected_micro: probabilities.expected_micro,
            brier_pico: wide_from_wire(probabilities.brier_pico),
        },
        brier_clusters: clusters_from_wire(
            p.brier_clusters.as_ref().ok_or(WireError::missing("brier_clusters"))?,
        ),
        event_clusters: p.event_clusters.as_ref().map(clusters_from_wire).map(Box::new),
        calibration,
        ece_micro: p.ece_micro,
    })
}

pub(crate) fn ranks_to_wire(sums: &RankSums) -> proto::RankSums {
    proto::RankSums {
        n_pos: sums.n_pos,
        n_neg: sums.n_neg,
        doubled_u: Some(wide_to_wire(sums.doubled_u)),
        pos_squares: Some(wide_to_wire(sums.pos_squares)),
        neg_squares: Some(wide_to_wire(sums.neg_squares)),
    }
}

pub(crate) fn ranks_from_wire(sums: &proto::RankSums) -> RankSums {
    RankSums {
        n_pos: sums.n_pos,
        n_neg: sums.n_neg,
        doubled_u: wide_from_wire(sums.doubled_u),
        pos_squares: wide_from_wire(sums.pos_squares),
        neg_squares: wide_from_wire(sums.neg_squares),
    }
}

fn rank_clusters_to_wire(sums: &ClusterRankSums) -> proto::ClusterRankSums {
    proto::ClusterRankSums {
        clusters: sums.clusters,
        clusters_pos: sums.clusters_pos,
        clusters_neg: sums.clusters_neg,
        pos_squares: Some(wide_to_wire(sums.pos_squares)),
        pos_by_size: Some(wide_to_wire(sums.pos_by_size)),
        pos_size_squares: sums.pos_size_squares,
        neg_squares: Some(wide_to_wire(sums.neg_squares)),
        neg_by_size: Some(wide_to_wire(sums.neg_by_size)),
        neg_size_squares: sums.neg_size_squares,
        cross: Some(wide_to_wire(sums.cross)),
        pos_by_neg_size: Some(wide_to_wire(sums.pos_by_neg_size)),
        neg_by_pos_size: Some(wide_to_wire(sums.neg_by_pos_size)),
        size_cross: sums.size_cross,
    }
}

fn rank_clusters_from_wire(sums: &proto::ClusterRankSums) -> ClusterRankSums {
    ClusterRankSums {
        clusters: sums.clusters,
        clusters_pos: sums.clusters_pos,
        clusters_neg: sums.clusters_neg,
        pos_squares: wide_from_wire(sums.pos_squares),
        pos_by_size: wide_from_wire(sums.pos_by_size),
        pos_size_squares: sums.pos_size_squares,
        neg_squares: wide_from_wire(sums.neg_squares),
        neg_by_size: wide_from_wire(sums.neg_by_size),
        neg_size_squares: sums.neg_size_squares,
        cross: wide_from_wire(sums.cross),
        pos_by_neg_size: wide_from_wire(sums.pos_by_neg_size),
        neg_by_pos_size: wide_from_wire(sums.neg_by_pos_size),
        size_cross: sums.size_cross,
    }
}

fn clusters_to_wire(sums: &ClusterSums) -> proto::ClusterSums {
    proto::ClusterSums {
        clusters: sums.clusters,
        size: sums.size,
        total: Some(wide_to_wire(sums.total)),
        total_squares: Some(wide_to_wire(sums.total_squares)),
        total_by_size: Some(wide_to_wire(sums.total_by_size)),
        size_squares: sums.size_squares,
    }
}

fn clusters_from_wire(sums: &proto::ClusterSums) -> ClusterSums {
    ClusterSums {
        clusters: sums.clusters,
        size: sums.size,
        total: wide_from_wire(sums.total),
        total_squares: wide_from_wire(sums.total_squares),
        total_by_size: wide_from_wire(sums.total_by_size),
        size_squares: sums.size_squares,
    }
}

fn point_to_wire(point: &OperatingPointCounts) -> proto::OperatingPointCounts {
    proto::OperatingPointCounts {
        name: point.name.to_string(),
        true_positives: point.counts.tp,
        false_negatives: point.counts.fn_,
        false_positives: point.counts.fp,
        true_negatives: point.counts.tn,
        sensitivity_clusters: point.sensitivity_clusters.as_deref().map(clusters_to_wire),
        specificity_clusters: point.specificity_clusters.as_deref().map(clusters_to_wire),
    }
}

fn point_from_wire(point: &proto::OperatingPointCounts) -> Result<OperatingPointCounts, WireError> {
    Ok(OperatingPointCounts {
        name: id("operating_points.name", &point.name)?,
        counts: TwoByTwo {
            tp: point.true_positives,
            fn_: point.false_negatives,
            fp: point.false_positives,
            tn: point.true_negatives,
        },
        sensitivity_clusters: point
            .sensitivity_clusters
            .as_ref()
            .map(clusters_from_wire)
            .map(Box::new),
        specificity_clusters: point
            .specificity_clusters
            .as_ref()
            .map(clusters_from_wire)
            .map(Box::new),
    })
}

const fn fit_to_wire(fit: &CalibrationFit) -> proto::CalibrationFit {
    proto::CalibrationFit {
        intercept_micro: fit.intercept_micro,
        slope_micro: fit.slope_micro,
        se_intercept_micro: fit.se_intercept_micro,
        se_slope_micro: fit.se_slope_micro,
        correlation_micro: fit.correlation_micro,
        citl_micro: fit.citl_micro,
        se_citl_micro: fit.se_citl_micro,
    }
}

const fn fit_from_wire(fit: &proto::CalibrationFit) -> CalibrationFit {
    CalibrationFit {
        intercept_micro: fit.intercept_micro,
        slope_micro: fit.slope_micro,
        se_intercept_micro: fit.se_intercept_micro,
        se_slope_micro: fit.se_slope_micro,
        correlation_micro: fit.correlation_micro,
        citl_micro: fit.citl_micro,
        se_citl_micro: fit.se_citl_micro,
    }
}

/// The evaluate crate folds every other reason into `NotConverged` before a result is made.
fn reason_to_wire(reason: NotEstimable) -> proto::NotEstimableReason {
    match reason {
        NotEstimable::OneClassOnly => proto::NotEstimableReason::OneClassOnly,
        NotEstimable::Separation => proto::NotEstimableReason::Separation,
        NotEstimable::ConstantScore => proto::NotEstimableReason::ConstantScore,
        NotEstimable::TooFewClusters => proto::NotEstimableReason::TooFewClusters,
        _ => proto::NotEstimableReason::NotConverged,
    }
}

fn reason_from_wire(reason: proto::NotEstimableReason) -> Option<NotEstimable> {
    match reason {
        proto::NotEstimableReason::Unspecified => None,
        proto::NotEstimableReason::OneClassOnly => Some(NotEstimable::OneClassOnly),
        proto::NotEstimableReason::Separation => Some(NotEstimable::Separation),
        proto::NotEstimableReason::NotConverged => Some(NotEstimable::NotConverged),
        proto::NotEstimableReason::ConstantScore => Some(NotEstimable::ConstantScore),
        proto::NotEstimableReason::TooFewClusters => Some(NotEstimable::TooFewClusters),
    }
}
