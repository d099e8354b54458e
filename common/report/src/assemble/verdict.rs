//! Endpoints held against their acceptance limits.

use fedval_study::protocol::{Endpoint, EndpointBasis, EndpointDirection, StudyProtocol};

use super::subgroup::Assessed;
use crate::report::{
    AgainstLimit, Estimable, Metric, Reason, Site, Syntheses, Synthesis, Verdict, VerdictResult,
    WorstSite, WorstSubgroup,
};

/// One verdict for each endpoint, in the protocol's order.
pub(super) fn all(
    plan: &StudyProtocol,
    sites: &[Site],
    synthesis: &Syntheses,
    groups: &[Assessed],
) -> Vec<Verdict> {
    let one = |(index, endpoint): (usize, &Endpoint)| {
        let of_groups = groups.iter().filter_map(|group| group.worst.get(index)?.clone());
        one(endpoint, sites, synthesis, of_groups)
    };
    plan.endpoints.iter().enumerate().map(one).collect()
}

fn one(
    endpoint: &Endpoint,
    sites: &[Site],
    synthesis: &Syntheses,
    of_groups: impl Iterator<Item = WorstSubgroup>,
) -> Verdict {
    let pooled: Result<&Synthesis, Reason> = match synthesis.get(&endpoint.metric) {
        Some(Estimable::Estimated(pooled)) => Ok(pooled),
        Some(Estimable::NotEstimable { not_estimable }) => Err(*not_estimable),
        None => Err(Reason::NotDefinedForMethod),
    };
    let interval = pooled.map_or_else(Estimable::not, |pooled| match endpoint.basis {
        EndpointBasis::PooledMean => pooled.ci,
        EndpointBasis::NewSite => pooled.prediction_interval,
    });
    Verdict {
        endpoint: endpoint.name.clone(),
        metric: endpoint.metric.clone(),
        limit: endpoint.limit,
        direction: endpoint.direction,
        basis: endpoint.basis,
        result: held(endpoint, &interval),
        reason: interval.reason(),
        estimate: pooled.map(|pooled| pooled.estimate).into(),
        interval,
        k: pooled.map_or(0, |pooled| pooled.k),
        new_site_probability: pooled.map_or_else(Estimable::not, |pooled| {
            pooled
                .acceptance
                .iter()
                .find(|acceptance| acceptance.endpoint == endpoint.name)
                .map_or_else(
                    || Estimable::not(Reason::NotDefinedForMethod),
                    |acceptance| acceptance.probability,
                )
        }),
        worst_site: worst_site(endpoint, sites),
        worst_subgroup: worst(endpoint, of_groups.map(|group| (group.value.estimate, group))),
    }
}

fn held(endpoint: &Endpoint, interval: &Estimable<[f64; 2]>) -> VerdictResult {
    VerdictResult::of(interval, endpoint.direction, endpoint.limit)
}

/// A metric of one group, held against the endpoint's limit.
pub(super) fn against(endpoint: &Endpoint, metric: &Metric) -> AgainstLimit {
    AgainstLimit { estimate: metric.estimate, ci: metric.ci, result: held(endpoint, &metric.ci) }
}

fn worst_site(endpoint: &Endpoint, sites: &[Site]) -> Estimable<WorstSite> {
    let values = sites.iter().filter_map(|site| {
        let metric = site.metrics.get(&endpoint.metric)?.value()?;
        Some((
            metric.estimate,
            WorstSite { site: site.id.clone(), value: against(endpoint, metric) },
        ))
    });
    worst(endpoint, values)
}

/// Whether one estimate is less favourable than another.
pub(super) fn is_worse(endpoint: &Endpoint, one: f64, other: f64) -> bool {
    match endpoint.direction {
        EndpointDirection::AtLeast => one < other,
        EndpointDirection::AtMost => one > other,
    }
}

/// The least favourable; of equals the first, so that the answer does not hang on anything else.
fn worst<T>(endpoint: &Endpoint, values: impl Iterator<Item = (f64, T)>) -> Estimable<T> {
    values
        .reduce(|worst, next| if is_worse(endpoint, next.0, worst.0) { next } else { worst })
        .map(|(_, value)| value)
        .ok_or(Reason::NothingReleased)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(direction: EndpointDirection) -> Endpoint {
        Endpoint {
            name: "main".parse().unwrap(),
            metric: fedval_study::MetricId::Auroc,
            limit: 0.8,
            direction,
            basis: EndpointBasis::PooledMean,
        }
    }

    #[test]
    fn an_interval_is_met_not_met_or_holds_the_limit() {
        use EndpointDirection::{AtLeast, AtMost};
        use VerdictResult::{Inconclusive, Met, NotMet};
        for (direction, interval, result) in [
            (AtLeast, [0.81, 0.9], Met),
            (AtLeast, [0.8, 0.9], Met),
            (AtLeast, [0.7, 0.79], NotMet),
            (AtLeast, [0.7, 0.8], Inconclusive),
            (AtLeast, [0.7, 0.9], Inconclusive),
            (AtMost, [0.7, 0.79], Met),
            (AtMost, [0.7, 0.8], Met),
            (AtMost, [0.81, 0.9], NotMet),
            (AtMost, [0.8, 0.9], Inconclusive),
            (AtMost, [0.7, 0.9], Inconclusive),
        ] {
            let held = held(&endpoint(direction), &Estimable::Estimated(interval));
            assert_eq!(held, result, "{direction:?} {interval:?}");
        }
    }

    #[test]
    fn no_interval_is_inconclusive() {
        let none = Estimable::not(Reason::TooFewSites);
        let held = held(&endpoint(EndpointDirection::AtLeast), &none);
        assert_eq!(held, VerdictResult::Inconclusive);
    }

    #[test]
    fn the_worst_lies_on_the_unfavourable_side() {
        let values = || [(0.7, 'a'), (0.9, 'b'), (0.7, 'c')].into_iter();
        let worst_of = |direction| worst(&endpoint(direction), values());
        assert_eq!(worst_of(EndpointDirection::AtLeast), Estimable::Estimated('a'));
        assert_eq!(worst_of(EndpointDirection::AtMost), Estimable::Estimated('b'));
        let nothing = worst(&endpoint(EndpointDirection::AtMost), std::iter::empty::<(f64, ())>());
        assert_eq!(nothing, Estimable::not(Reason::NothingReleased));
    }
}
