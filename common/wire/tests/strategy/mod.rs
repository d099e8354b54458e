//! Results of every shape, with numbers up to the ends of their types.

use fedval_stats::NotEstimable;
use fedval_stats::aggregate::{
    CalibrationFit, ClusterRankSums, ClusterSums, ProbabilitySums, RankSums, TwoByTwo,
};
use fedval_study::classes::ClassAreas;
use fedval_study::coarse::{CoarsePoint, GridCalibration, GridScores, OnGrid};
use fedval_study::conditions::ConditionCell;
use fedval_study::detection::{AveragePrecision, CurvePoint, PointCounts};
use fedval_study::empty_masks::{EmptyMasks, WithoutStructure};
use fedval_study::measures::Measured;
use fedval_study::noisy::NoisyCount;
use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::Profile;
use fedval_study::result::{AttritionCount, SubgroupCell};
use fedval_study::summary::FailureReason;
use fedval_study::{
    BuildDigest, Cell, ClassPerformance, CoarsePerformance, CohortCommitment, ConditionPerformance,
    DetectionPerformance, FailedStage, Measure, MeasurePerformance, ModelDigest, Name,
    NoisyPerformance, OperatingPointCounts, Outcome, PatientCounts, Performance, PolicyDigest,
    ProbeName, ProtocolDigest, Release, ResultHeader, ScoreSource, Sha256Digest, SiteResult, Terms,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// An integer with its ends more often than chance has them.
fn wide() -> impl Strategy<Value = u128> {
    prop_oneof![any::<u128>(), Just(0), Just(u128::from(u64::MAX)), Just(1 << 64), Just(u128::MAX)]
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), 0..1000_u64, Just(u64::MAX)]
}

fn fixed() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), -1000..1000_i64, Just(i64::MIN), Just(i64::MAX)]
}

fn name() -> impl Strategy<Value = Name> {
    "[a-z0-9-]{1,63}".prop_map(|text| text.parse().unwrap())
}

fn digest() -> impl Strategy<Value = Sha256Digest> {
    any::<[u8; 32]>().prop_map(Sha256Digest::from_bytes)
}

prop_compose! {
    fn clusters()(
        counts in [count(), count(), count()], sums in [wide(), wide(), wide()],
    ) -> ClusterSums {
        let [clusters, size, size_squares] = counts;
        let [total, total_squares, total_by_size] = sums;
        ClusterSums { clusters, size, total, total_squares, total_by_size, size_squares }
    }
}

prop_compose! {
    fn ranks()(n_pos in count(), n_neg in count(), sums in [wide(), wide(), wide()]) -> RankSums {
        let [doubled_u, pos_squares, neg_squares] = sums;
        RankSums { n_pos, n_neg, doubled_u, pos_squares, neg_squares }
    }
}

prop_compose! {
    fn rank_clusters()(
        counts in [count(), count(), count(), count(), count(), count()],
        sums in [wide(), wide(), wide(), wide(), wide(), wide(), wide()],
    ) -> ClusterRankSums {
        ClusterRankSums {
            clusters: counts[0],
            clusters_pos: counts[1],
            clusters_neg: counts[2],
            pos_squares: sums[0],
            pos_by_size: sums[1],
            pos_size_squares: counts[3],
            neg_squares: sums[2],
            neg_by_size: sums[3],
            neg_size_squares: counts[4],
            cross: sums[4],
            pos_by_neg_size: sums[5],
            neg_by_pos_size: sums[6],
            size_cross: counts[5],
        }
    }
}

prop_compose! {
    fn point()(
        name in name(), counts in [count(), count(), count(), count()],
        sensitivity_clusters in option::of(clusters().prop_map(Box::new).boxed()),
        specificity_clusters in option::of(clusters().prop_map(Box::new).boxed()),
    ) -> OperatingPointCounts {
        let [tp, fn_, fp, tn] = counts;
        let counts = TwoByTwo { tp, fn_, fp, tn };
        OperatingPointCounts { counts, name, sensitivity_clusters, specificity_clusters }
    }
}

fn calibration() -> impl Strategy<Value = CalibrationOutcome> {
    let fit = ([fixed(), fixed(), fixed(), fixed()], [count(), count(), count()]).prop_map(
        |(coefficients, errors)| {
            let [intercept_micro, slope_micro, correlation_micro, citl_micro] = coefficients;
            let [se_intercept_micro, se_slope_micro, se_citl_micro] = errors;
            CalibrationOutcome::Fit(CalibrationFit {
                intercept_micro,
                slope_micro,
                se_intercept_micro,
                se_slope_micro,
                correlation_micro,
                citl_micro,
                se_citl_micro,
            })
        },
    );
    let reason = prop::sample::select(vec![
        NotEstimable::OneClassOnly,
        NotEstimable::Separation,
        NotEstimable::NotConverged,
        NotEstimable::ConstantScore,
        NotEstimable::TooFewClusters,
    ]);
    prop_oneof![fit, reason.prop_map(CalibrationOutcome::NotEstimable)]
}

prop_compose! {
    fn probabilities()(counts in [count(), count(), count()], brier_pico in wide()) -> ProbabilitySums {
        let [n, events, expected_micro] = counts;
        ProbabilitySums { n, events, expected_micro, brier_pico }
    }
}

prop_compose! {
    fn performance()(
        patients in [count(), count(), count()], ranks in ranks().boxed(),
        rank_clusters in option::of(rank_clusters().prop_map(Box::new).boxed()), operating_points in vec(point().boxed(), 0..4),
        probabilities in probabilities().boxed(), brier_clusters in clusters().boxed(),
        event_clusters in option::of(clusters().prop_map(Box::new).boxed()), calibration in calibration().boxed(),
        ece_micro in count(),
    ) -> Performance {
        let [total, with_positive, with_negative] = patients;
        let patients = PatientCounts { total, with_negative, with_positive };
        Performance {
            brier_clusters, calibration, ece_micro, event_clusters, operating_points, patients,
            probabilities, rank_clusters, ranks,
        }
    }
}

fn cell<T: std::fmt::Debug + Clone + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Cell<T>> {
    prop_oneof![value.prop_map(Cell::Released), Just(Cell::Suppressed),]
}

prop_compose! {
    fn attrition()(
        reason in prop::sample::select(FailureReason::ALL.to_vec()), patients in cell(count()),
    ) -> AttritionCount {
        AttritionCount { reason, patients }
    }
}

prop_compose! {
    fn subgroup()(
        dimension in name(), category in name(), performance in cell(performance().boxed()),
    ) -> SubgroupCell {
        SubgroupCell { dimension, category, performance }
    }
}

prop_compose! {
    fn release()(
        k in count(), attrition in vec(attrition().boxed(), 0..4), overall in performance().boxed(),
        subgroups in vec(subgroup().boxed(), 0..4),
    ) -> Release {
        Release { terms: Terms::exact(Profile::Standard, k), attrition, overall, subgroups }
    }
}

prop_compose! {
    fn terms()(
        profile in prop::sample::select(Profile::NAMED.to_vec()),
        counts in [count(), count(), count()], zeros_withheld in any::<bool>(),
        noise_rho_micro in option::of(1..u32::MAX),
    ) -> Terms {
        let [k, withheld_responses, rounding_base] = counts;
        Terms {
            profile: profile.1, k, withheld_responses, zeros_withheld, rounding_base,
            noise_rho_micro,
        }
    }
}

prop_compose! {
    fn on_grid()(value_micro in fixed(), grid_micro in count()) -> OnGrid {
        OnGrid { value_micro, grid_micro }
    }
}

prop_compose! {
    fn grid()(
        auroc in option::of(on_grid()), means in [on_grid(), on_grid(), on_grid()],
        line in option::of([on_grid(), on_grid(), on_grid(), on_grid(), on_grid(), on_grid()]),
    ) -> GridScores {
        let [brier, mean_probability, ece] = means;
        let calibration = line.map(|[intercept, se_intercept, slope, se_slope, citl, se_citl]| {
            GridCalibration { intercept, se_intercept, slope, se_slope, citl, se_citl }
        });
        GridScores { auroc, brier, mean_probability, ece, calibration }
    }
}

prop_compose! {
    fn coarse_point()(
        name in name(), false_negatives in cell(count()), false_positives in cell(count()),
    ) -> CoarsePoint {
        CoarsePoint { name, false_negatives, false_positives }
    }
}

prop_compose! {
    fn coarse()(
        counts in [count(), count(), count(), count(), count()],
        operating_points in vec(coarse_point().boxed(), 0..3),
        scores in grid().boxed(),
    ) -> CoarsePerformance {
        let [total, with_positive, with_negative, n_pos, n_neg] = counts;
        let patients = PatientCounts { total, with_positive, with_negative };
        CoarsePerformance { patients, n_pos, n_neg, operating_points, scores }
    }
}

prop_compose! {
    fn noisy()(
        positives in vec(fixed().prop_map(NoisyCount), 0..30),
        negatives in vec(fixed().prop_map(NoisyCount), 0..30),
    ) -> NoisyPerformance {
        NoisyPerformance { positives, negatives }
    }
}

fn areas() -> impl Strategy<Value = ClassAreas> {
    (vec(ranks(), 0..4), count())
        .prop_map(|(ranks, macro_se_nano)| ClassAreas { macro_se_nano, ranks })
}

prop_compose! {
    fn classes()(
        k in count(), attrition in vec(attrition().boxed(), 0..4),
        confusion in vec(vec(count(), 0..4), 0..4), areas in option::of(areas()),
    ) -> Release<ClassPerformance> {
        let overall = ClassPerformance { areas: areas.map(Box::new), confusion };
        Release { terms: Terms::exact(Profile::Standard, k), attrition, overall, subgroups: Vec::new() }
    }
}

prop_compose! {
    fn condition_cells()(
        cells in vec((name(), cell(performance().boxed())), 0..4),
    ) -> Vec<ConditionCell> {
        cells.into_iter().map(|(name, performance)| ConditionCell { name, performance }).collect()
    }
}

prop_compose! {
    fn condition_group()(
        conditions in condition_cells(), patients in count(),
    ) -> ConditionPerformance {
        ConditionPerformance { conditions, macro_se_nano: Cell::Suppressed, patients }
    }
}

prop_compose! {
    fn conditions()(
        k in count(), attrition in vec(attrition().boxed(), 0..4), patients in count(),
        conditions in condition_cells(), macro_se_nano in cell(count().boxed()),
        groups in vec((name(), name(), cell(condition_group().boxed())), 0..4),
    ) -> Release<ConditionPerformance> {
        let overall = ConditionPerformance { conditions, macro_se_nano, patients };
        let group = |(category, dimension, performance)| SubgroupCell { category, dimension, performance };
        let subgroups = groups.into_iter().map(group).collect();
        Release { terms: Terms::exact(Profile::Standard, k), attrition, overall, subgroups }
    }
}

fn measured() -> impl Strategy<Value = Measured> {
    let measures = vec![
        Measure::AbsoluteError,
        Measure::Error,
        Measure::Level,
        Measure::Dice,
        Measure::Hd95,
        Measure::Nsd,
        Measure::DiceMissesZero,
    ];
    (prop::sample::select(measures), on_grid(), on_grid())
        .prop_map(|(measure, mean, sd)| Measured { mean, measure, sd })
}

fn empty_masks() -> impl Strategy<Value = EmptyMasks> {
    let without =
        (count(), count()).prop_map(|(neither, spurious)| WithoutStructure { neither, spurious });
    (count(), option::of(without))
        .prop_map(|(missed, without_structure)| EmptyMasks { missed, without_structure })
}

fn measures() -> impl Strategy<Value = MeasurePerformance> {
    (option::of(empty_masks()), vec(measured(), 0..4), count()).prop_map(
        |(empty_masks, measures, patients)| MeasurePerformance { empty_masks, measures, patients },
    )
}

prop_compose! {
    fn point_counts()(
        name in name(), hits in count(),
        counts in [cell(count().boxed()), cell(count().boxed()), cell(count().boxed())],
    ) -> PointCounts {
        let [false_positives, rate_se_micro, sensitivity_se_micro] = counts;
        PointCounts { false_positives, hits, name, rate_se_micro, sensitivity_se_micro }
    }
}

prop_compose! {
    fn found()(
        counts in [count(), count(), count()], patients in [count(), count(), count()],
        point in point_counts(), curve in vec((any::<u32>(), count(), count()), 0..4),
        area in option::of(count()),
    ) -> DetectionPerformance {
        let [lesions, scans_with, scans_without] = counts;
        let [total, with_negative, with_positive] = patients;
        let at = |(edge, false_positives, hits)| CurvePoint { edge, false_positives, hits };
        DetectionPerformance {
            average_precision: area.map(|se_micro| AveragePrecision { se_micro }),
            curve: curve.into_iter().map(at).collect(),
            lesions,
            patients: PatientCounts { total, with_negative, with_positive },
            point,
            scans_with,
            scans_without,
        }
    }
}

/// There is no form of it under other terms.
fn detection() -> impl Strategy<Value = Release<DetectionPerformance>> {
    (release_of(found().boxed()), count())
        .prop_map(|(release, k)| Release { terms: Terms::exact(Profile::Standard, k), ..*release })
}

/// A release of any form, given its groups.
fn release_of<P: std::fmt::Debug + Clone + 'static>(
    group: BoxedStrategy<P>,
) -> impl Strategy<Value = Box<Release<P>>> {
    let cell =
        (name(), name(), cell(group.clone())).prop_map(|(dimension, category, performance)| {
            SubgroupCell { dimension, category, performance }
        });
    let attrition = vec(attrition().boxed(), 0..4);
    (terms(), attrition, group, vec(cell.boxed(), 0..4)).prop_map(
        |(terms, attrition, overall, subgroups)| {
            Box::new(Release { terms, attrition, overall, subgroups })
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => release().boxed().prop_map(|release| Outcome::Released(Box::new(release))),
        2 => release_of(coarse().boxed()).prop_map(Outcome::ReleasedCoarse),
        2 => release_of(noisy().boxed()).prop_map(Outcome::ReleasedNoisy),
        2 => release_of(measures().boxed()).prop_map(Outcome::ReleasedMeasures),
        2 => classes().boxed().prop_map(|release| Outcome::ReleasedClasses(Box::new(release))),
        2 => conditions().boxed()
            .prop_map(|release| Outcome::ReleasedConditions(Box::new(release))),
        2 => detection().boxed().prop_map(|release| Outcome::ReleasedDetection(Box::new(release))),
        1 => Just(Outcome::Insufficient),
        1 => Just(Outcome::Refused),
        1 => prop::sample::select(vec![
            FailedStage::ModelLoad, FailedStage::DataSource, FailedStage::Evaluation,
        ]).prop_map(Outcome::Failed),
    ]
}

prop_compose! {
    fn header()(
        ids in [name(), name(), name()], digests in [digest(), digest(), digest()],
        cohort in option::of(digest()), policy in option::of(digest()),
        preprocessing in prop::collection::btree_map(
            prop::sample::select(ProbeName::all().collect::<Vec<_>>()), digest(), 0..=ProbeName::all().count(),
        ),
    ) -> ResultHeader {
        ResultHeader {
            study: ids[0].as_str().parse().unwrap(),
            protocol: ProtocolDigest(digests[0]),
            model: ModelDigest(digests[1]),
            round: ids[1].as_str().parse().unwrap(),
            site: ids[2].as_str().parse().unwrap(),
            cohort: cohort.map(CohortCommitment),
            policy: policy.map(PolicyDigest),
            agent_build: BuildDigest(digests[2]),
            scores: if digests[2].as_bytes()[0] % 2 == 0 {
                ScoreSource::Model
            } else {
                ScoreSource::PredictionTable
            },
            preprocessing: preprocessing.into_iter().collect(),
        }
    }
}

prop_compose! {
    /// Any result that the domain's types can hold and the contract can name.
    pub(crate) fn site_result()(header in header().boxed(), outcome in outcome().boxed()) -> SiteResult {
        SiteResult { header, outcome }
    }
}
