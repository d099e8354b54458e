//! Readers beside each other.

use fedval_stats::aggregate::{Moments, joint_rank_sums};
use fedval_stats::agreement::{
    MeasurementSums, RatingSums, ReaderMoments, Weighting, bland_altman, fleiss_kappa, intraclass,
    intraclass_of_two, kappa,
};
use fedval_stats::auroc::joint_delong;
use fedval_stats::mrmc::{ReaderStudy, mrmc};

use crate::{Target, finite};

pub(super) const TARGETS: &[Target] = &[
    Target {
        entry: "agreement::kappa",
        run: |draw| {
            let Some(table) = draw.cross_table() else { return };
            for weighting in [Weighting::Unweighted, Weighting::Linear, Weighting::Quadratic] {
                let Ok(kappa) = kappa(&table, weighting, draw.share()) else { continue };
                finite([kappa.observed, kappa.chance]);
                finite([kappa.se, kappa.se_null].into_iter().flatten());
                finite(kappa.kappa.iter().flat_map(|k| [k.estimate, k.lower, k.upper]));
            }
        },
    },
    Target {
        entry: "agreement::fleiss_kappa",
        run: |draw| {
            let categories = 1 + draw.below(4);
            let subjects =
                draw.list(|draw| (0..categories).map(|_| draw.count()).collect::<Vec<u64>>());
            let Ok(kappa) = RatingSums::of(&subjects).and_then(|sums| fleiss_kappa(&sums)) else {
                return;
            };
            finite([kappa.kappa, kappa.se_null, kappa.z, kappa.p]);
        },
    },
    Target {
        entry: "agreement::intraclass",
        run: |draw| {
            let columns = draw.below(5);
            let sums = MeasurementSums::of(&draw.matrix(columns));
            let Ok(icc) = sums.and_then(|sums| intraclass(&sums, draw.share())) else { return };
            let parts = [icc.one_way, icc.agreement, icc.consistency, icc.agreement_of_mean];
            finite(parts.into_iter().flatten());
            finite([icc.agreement_lower, icc.agreement_upper].into_iter().flatten());
        },
    },
    Target {
        entry: "agreement::intraclass_of_two",
        run: |draw| {
            let moments = ReaderMoments {
                subjects: draw.count(),
                bias: draw.number(),
                sd_of_differences: draw.number(),
                sd_of_middles: draw.number(),
            };
            let Ok(icc) = intraclass_of_two(&moments, draw.share()) else { return };
            let parts = [icc.one_way, icc.agreement, icc.consistency, icc.agreement_of_mean];
            finite(parts.into_iter().flatten());
            finite([icc.agreement_lower, icc.agreement_upper].into_iter().flatten());
        },
    },
    Target {
        entry: "agreement::bland_altman",
        run: |draw| {
            let limits = Moments::of(draw.numbers()).and_then(|moments| bland_altman(&moments));
            finite(limits.iter().flat_map(|l| [l.bias, l.sd, l.lower_limit, l.upper_limit]));
        },
    },
    Target {
        entry: "mrmc::mrmc",
        run: |draw| {
            let labels = draw.list(super::super::Draw::flag);
            let keys: Vec<Vec<i64>> = (0..4)
                .map(|_| labels.iter().map(|_| i64::try_from(draw.below(5)).unwrap_or(0)).collect())
                .collect();
            let Ok(sums) = joint_rank_sums(&keys, &labels) else { return };
            let study = joint_delong(&sums).and_then(|areas| ReaderStudy::new(areas, 2));
            let Ok(study) = study.and_then(|study| mrmc(&study, draw.share())) else { return };
            finite(study.equality.iter().flat_map(|test| [test.f, test.p]));
            for pair in study.differences {
                finite([pair.interval.lower, pair.interval.upper, pair.se]);
                finite(pair.t.iter().flat_map(|(t, p)| [*t, *p]));
            }
            for mean in study.treatments {
                finite([mean.estimate, mean.se]);
            }
        },
    },
];
