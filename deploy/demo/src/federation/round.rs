//! Waiting until every hospital has answered.

use std::thread;
use std::time::Duration;

use fedval_ambient::{Clock, SystemClock};

use super::coordinator::{Coordinator, SiteProgress};
use super::policy::Consent;
use super::program::Service;
use super::site::Site;
use super::steward::Steward;
use crate::console::Step;
use crate::error::DemoError;

/// Longest wait, in seconds: several times what two cores need.
const LIMIT_SECONDS: i64 = 300;
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(400);

/// Follows the round to its end, playing the steward where a hospital releases by hand.
pub(super) fn follow(
    coordinator: &Coordinator,
    sites: &[Site],
    services: &mut [Service],
    step: &Step,
) -> Result<(), DemoError> {
    let mut steward = Steward::default();
    let deadline = SystemClock.now().plus_seconds(LIMIT_SECONDS);
    loop {
        for service in &mut *services {
            service.check()?;
        }
        let progress = coordinator.progress()?;
        step.note(&in_words(&progress));
        check_outcomes(sites, &progress)?;
        if progress.len() == sites.len() && progress.iter().all(SiteProgress::has_answered) {
            return Ok(());
        }
        if SystemClock.now() > deadline {
            return Err(DemoError::TooSlow {
                seconds: LIMIT_SECONDS,
                waiting: in_words(&progress),
                log: coordinator.service_log(),
            });
        }
        for site in sites {
            let answered = progress.iter().any(|p| p.site == site.hospital.id && p.has_answered());
            if site.policy.consent == Consent::ByHand && !answered {
                steward.attend(site, step)?;
            }
        }
        thread::sleep(PAUSE);
    }
}

/// Each hospital must end as the demo says it does: otherwise the demo shows something untrue.
fn check_outcomes(sites: &[Site], progress: &[SiteProgress]) -> Result<(), DemoError> {
    for answer in progress.iter().filter(|answer| answer.has_answered()) {
        let Some(site) = sites.iter().find(|site| site.hospital.id == answer.site) else {
            continue;
        };
        if answer.status != site.policy.expected {
            return Err(DemoError::Outcome {
                site: answer.site.clone(),
                status: answer.status.clone(),
                expected: site.policy.expected,
                log: site.service_log(),
            });
        }
    }
    Ok(())
}

fn in_words(progress: &[SiteProgress]) -> String {
    let words = progress.iter().map(|site| {
        let state = if site.has_answered() { &site.status } else { &site.phase };
        format!("{} {state}", site.site)
    });
    words.collect::<Vec<_>>().join(" · ")
}
