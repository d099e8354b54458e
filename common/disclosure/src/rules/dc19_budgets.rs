//! DC-19: how many models, how many releases, how many failures, how many bits.
//!
//! A model can compute any predicate of an image, so each further model on the same patients is a
//! further query about them. Failures and refusals are charged as well: they are answers. What counts
//! against a cohort is every earlier answer about any of its patients.
//!
//! Source: "overly accurate answers to too many questions will inevitably destroy privacy"
//! (differencing literature in shared `design/threats.md`, T2–T4); DAP: a batch is collected once.

use std::collections::BTreeSet;

use fedval_study::{ModelDigest, ProtocolDigest, StudyId};

/// What a site's policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Bits that one release may hold.
    pub bits_per_job: u64,
    /// Distinct models on overlapping cohorts of one study.
    pub models_per_cohort: u64,
    /// Releases about overlapping cohorts in a year.
    pub releases_per_year: u64,
    /// Answers without aggregates to the same protocol and model.
    pub failed_attempts: u64,
    /// zCDP cost of overlapping cohorts in a year, in 10⁻⁶.
    pub rho_micro_per_year: u64,
}

/// Seconds of a year.
const YEAR_MS: i64 = 365 * 24 * 3600 * 1000;

/// An earlier answer, as far as budgets go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Its study.
    pub study: StudyId,
    /// The protocol.
    pub protocol: ProtocolDigest,
    /// The model.
    pub model: ModelDigest,
    /// When it was committed, milliseconds since 1970-01-01 UTC.
    pub committed_at_ms: i64,
    /// Whether it held aggregates.
    pub released: bool,
    /// What it cost, in 10⁻⁶ zCDP.
    pub rho_micro: u64,
    /// Whether it was about any patient of the cohort in question.
    pub overlaps: bool,
}

/// What is asked now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The study.
    pub study: StudyId,
    /// The protocol.
    pub protocol: ProtocolDigest,
    /// The model.
    pub model: ModelDigest,
    /// Now, milliseconds since 1970-01-01 UTC.
    pub now_ms: i64,
    /// What it would cost, in 10⁻⁶ zCDP.
    pub rho_micro: u64,
}

/// The budget that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Exhausted {
    /// Models.
    #[error("as many models as the policy allows have been run on patients of this cohort")]
    Models,
    /// Releases.
    #[error("as many releases as the policy allows were made about this cohort within a year")]
    Releases,
    /// Failures.
    #[error("this question was answered without aggregates as often as the policy allows")]
    Attempts,
    /// Privacy.
    #[error("the yearly privacy budget of patients of this cohort does not suffice")]
    Privacy,
}

/// Holds a question against the budgets, given every earlier answer of the site.
///
/// # Errors
///
/// The first budget that is used up.
pub fn check(asked: &Asked, earlier: &[Charge], budgets: &Budgets) -> Result<(), Exhausted> {
    let about = || earlier.iter().filter(|charge| charge.overlaps);
    let models: BTreeSet<_> = about()
        .filter(|charge| charge.study == asked.study)
        .map(|charge| charge.model)
        .chain([asked.model])
        .collect();
    if count(models.len()) > budgets.models_per_cohort {
        return Err(Exhausted::Models);
    }
    // A clock that was set back must not open the budget: what lies ahead is recent.
    let recent = || about().filter(|c| asked.now_ms.saturating_sub(c.committed_at_ms) < YEAR_MS);
    let released = count(recent().filter(|charge| charge.released).count());
    if released >= budgets.releases_per_year {
        return Err(Exhausted::Releases);
    }
    let same = |c: &&Charge| c.protocol == asked.protocol && c.model == asked.model && !c.released;
    if count(earlier.iter().filter(same).count()) >= budgets.failed_attempts {
        return Err(Exhausted::Attempts);
    }
    let spent: u64 = recent().map(|charge| charge.rho_micro).sum();
    if asked.rho_micro > 0 && spent.saturating_add(asked.rho_micro) > budgets.rho_micro_per_year {
        return Err(Exhausted::Privacy);
    }
    Ok(())
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use fedval_study::Sha256Digest;

    use super::*;

    const BUDGETS: Budgets = Budgets {
        bits_per_job: 1,
        models_per_cohort: 3,
        releases_per_year: 4,
        failed_attempts: 2,
        rho_micro_per_year: 100_000,
    };

    fn asked(model: u8) -> Asked {
        Asked {
            study: "s".parse().unwrap(),
            protocol: ProtocolDigest(Sha256Digest::of(b"p")),
            model: ModelDigest(Sha256Digest::of(&[model])),
            now_ms: 2 * YEAR_MS,
            rho_micro: 0,
        }
    }

    fn charge(model: u8, age_ms: i64) -> Charge {
        let Asked { study, protocol, model, now_ms, .. } = asked(model);
        let committed_at_ms = now_ms - age_ms;
        Charge {
            study,
            protocol,
            model,
            committed_at_ms,
            released: true,
            rho_micro: 0,
            overlaps: true,
        }
    }

    #[test]
    fn a_fourth_model_is_refused_and_a_third_or_a_repeat_is_not() {
        let earlier = [charge(1, 0), charge(2, 0)];
        assert_eq!(check(&asked(3), &earlier, &BUDGETS), Ok(()));
        let three = [charge(1, 0), charge(2, 0), charge(3, 0)];
        assert_eq!(check(&asked(3), &three, &BUDGETS), Ok(()));
        assert_eq!(check(&asked(4), &three, &BUDGETS), Err(Exhausted::Models));
        let elsewhere = three.map(|charge| Charge { overlaps: false, ..charge });
        assert_eq!(check(&asked(4), &elsewhere, &BUDGETS), Ok(()));
    }

    #[test]
    fn a_year_of_releases_is_refused_and_an_older_one_is_not() {
        let four = [0, 1, 2, YEAR_MS - 1].map(|age| charge(1, age));
        assert_eq!(check(&asked(1), &four, &BUDGETS), Err(Exhausted::Releases));
        let aged = [0, 1, 2, YEAR_MS].map(|age| charge(1, age));
        assert_eq!(check(&asked(1), &aged, &BUDGETS), Ok(()));
        let ahead = [0, 1, 2, -YEAR_MS].map(|age| charge(1, age));
        assert_eq!(check(&asked(1), &ahead, &BUDGETS), Err(Exhausted::Releases));
    }

    #[test]
    fn failures_and_privacy_are_charged() {
        let failed = |model| Charge { released: false, overlaps: false, ..charge(model, 0) };
        assert_eq!(check(&asked(1), &[failed(1)], &BUDGETS), Ok(()));
        let twice = [failed(1), failed(1)];
        assert_eq!(check(&asked(1), &twice, &BUDGETS), Err(Exhausted::Attempts));
        assert_eq!(check(&asked(2), &twice, &BUDGETS), Ok(()));
        let spent = [Charge { rho_micro: 60_000, ..charge(1, 0) }];
        let costs = |rho_micro| Asked { rho_micro, ..asked(1) };
        assert_eq!(check(&costs(40_000), &spent, &BUDGETS), Ok(()));
        assert_eq!(check(&costs(40_001), &spent, &BUDGETS), Err(Exhausted::Privacy));
    }
}
