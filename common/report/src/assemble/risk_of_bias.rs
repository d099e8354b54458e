//! Risk of bias, from what results say of themselves.
//!
//! The limit of 100 cases of each class is that of Collins, Ogundimu and Altman (2016), Stat. Med. 35,
//! 214–226. What no result can say, such as blinding, is unclear and never assumed to be well.

use fedval_study::SiteStatus;
use fedval_study::protocol::{StudyProtocol, Unit};

use crate::report::{RiskOfBias, Signal, Site};

/// Cases of a class, or patients who are measured, below which the estimates of one site are unstable.
const ENOUGH: u64 = 100;
/// One patient in so many without a usable result is too many.
const TOO_MANY: u64 = 20;

/// One entry for each site that released results.
pub(super) fn all(plan: &StudyProtocol, sites: &[Site]) -> Vec<RiskOfBias> {
    let released = sites.iter().filter(|site| site.status == SiteStatus::Released);
    released
        .map(|site| RiskOfBias {
            site: site.id.clone(),
            signals: vec![
                participants(site),
                Signal::LockedIndexTest,
                Signal::BlindingNotRecorded,
                class_sizes(site),
                repeats(plan, site),
            ],
        })
        .collect()
}

fn participants(site: &Site) -> Signal {
    let rows = site.attrition.iter().map(|row| row.patients.released().copied());
    let Some(without) = rows.sum::<Option<u64>>() else { return Signal::UnknownWithoutResult };
    let Some(with) = site.patients.value() else { return Signal::UnknownWithoutResult };
    if without.saturating_mul(TOO_MANY) > with.saturating_add(without) {
        Signal::ManyWithoutResult
    } else {
        Signal::FewWithoutResult
    }
}

fn class_sizes(site: &Site) -> Signal {
    if let Some(classes) = &site.classes {
        let enough = classes.sizes().iter().all(|size| *size >= ENOUGH);
        return if enough { Signal::EnoughOfEachClass } else { Signal::FewOfAClass };
    }
    if !site.measures.is_empty() {
        let enough = site.patients.value().is_some_and(|patients| *patients >= ENOUGH);
        return if enough { Signal::EnoughPatients } else { Signal::FewPatients };
    }
    let enough = [site.n_pos, site.n_neg].iter().all(|n| n.value().is_some_and(|n| *n >= ENOUGH));
    if enough { Signal::EnoughOfEachClass } else { Signal::FewOfAClass }
}

/// One case for each patient needs no allowance.
fn repeats(plan: &StudyProtocol, site: &Site) -> Signal {
    let once = site.n.value().is_some() && site.n.value() == site.patients.value();
    if plan.analysis.unit == Unit::Patient || once || site.clustered == Some(true) {
        Signal::RepeatsAllowedFor
    } else {
        Signal::RepeatsIgnored
    }
}
