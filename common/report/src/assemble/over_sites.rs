//! What sites show on average, of metrics that have no standard error at a site and so no synthesis: of no curve an error is
//! released, and that of an ICC of two readers hangs on one degree of freedom.

use fedval_stats::synthesis::mean_over_sites;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{MetricId, ProtocolDigest};

use crate::report::{Estimable, Excluded, MeanOverSites, MeansOverSites, Reason, Site};

/// The revision from which on reports hold such means.
const FIRST_REVISION: u32 = 4;

/// Whole sites are drawn again.
const METHOD: &str = "site_bootstrap";

/// Every such mean of the study; none in a report of an earlier revision, which is made again as it was.
pub(super) fn all(
    plan: &StudyProtocol,
    protocol: ProtocolDigest,
    revision: u32,
    sites: &[Site],
) -> MeansOverSites {
    if revision < FIRST_REVISION {
        return MeansOverSites::new();
    }
    let of_task = |id: &MetricId| match id {
        MetricId::Cpm => plan.task.detection().is_some(),
        _ => plan.task.quantity().is_some(),
    };
    [MetricId::Cpm, MetricId::IntraclassCorrelation]
        .into_iter()
        .filter(of_task)
        .map(|id| {
            let mean: Estimable<MeanOverSites> =
                one(&id, plan.analysis.level, seed(protocol), sites).into();
            (id, mean)
        })
        .collect()
}

fn one(id: &MetricId, level: f64, seed: u64, sites: &[Site]) -> Result<MeanOverSites, Reason> {
    let (mut estimates, mut excluded) = (Vec::new(), Vec::new());
    for site in sites {
        match site.metrics.get(id) {
            Some(Estimable::Estimated(metric)) => estimates.push(metric.estimate),
            Some(Estimable::NotEstimable { not_estimable }) => {
                excluded.push(Excluded { site: site.id.clone(), reason: *not_estimable });
            }
            // Nothing was released there.
            None => {}
        }
    }
    let over = mean_over_sites(&estimates, level, seed)?;
    Ok(MeanOverSites {
        ci: over.limits.map(|(lower, upper)| [lower, upper]).into(),
        estimate: over.mean,
        excluded,
        k: u64::try_from(estimates.len()).unwrap_or(u64::MAX),
        method: METHOD.to_owned(),
    })
}

/// What draws begin at: the first eight bytes of the protocol's digest, which stood before there was any result, so that
/// nobody could choose among limits.
fn seed(protocol: ProtocolDigest) -> u64 {
    let bytes = protocol.0.as_bytes();
    bytes.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}
