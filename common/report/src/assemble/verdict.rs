//! Endpoints held against their acceptance limits.

use fedval_study::protocol::{Endpoint, EndpointBasis, EndpointDirection, StudyProtocol};

use crate::report::{
    AgainstLimit, Estimable, Metric, Reason, Site, Subgroup, Syntheses, Synthesis, Verdict,
    VerdictResult, WorstSite, WorstSubgroup,
};

/// One verdict for each endpoint, in the protocol's order.
pub(super) fn all(
    plan: &StudyProtocol,
    sites: &[Site],
    synthesis: &Syntheses,
    subgroups: &[Subgroup],
) -> Vec<Verdict> {
    plan.endpoints.iter().map(|endpoint| one(endpoint, sites, synthesis, subgroups)).collect()
}

fn one(
    endpoint: &Endpoint,
    sites: &[Site],
    synthesis: &Syntheses,
    subgroups: &[Subgroup],
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
        worst_subgroup: worst_subgroup(endpoint, subgroups),
    }
}

fn held(endpoint: &Endpoint, interval: &Estimable<[f64; 2]>) -> VerdictResult {
    VerdictResult::of(interval, endpoint.direction, endpoint.limit)
}

fn against(endpoint: &Endpoint, metric: &Metric) -> AgainstLimit {
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

fn worst_subgroup(endpoint: &Endpoint, subgroups: &[Subgroup]) -> Estimable<WorstSubgroup> {
    let cells =
        subgroups.iter().flat_map(|group| group.sites.iter().map(move |cell| (group, cell)));
    let values = cells.filter_map(|(group, cell)| {
        let metric = cell.performance.released()?.metrics.get(&endpoint.metric)?.value()?;
        let worst = WorstSubgroup {
            site: cell.site.clone(),
            dimension: group.dimension.clone(),
            category: group.category.clone(),
            value: against(endpoint, metric),
        };
        Some((metric.estimate, worst))
    });
    worst(endpoint, values)
}

/// The least favourable; of equals the first, so that the answer does not hang on anything else.
fn worst<T>(endpoint: &Endpoint, values: impl Iterator<Item = (f64, T)>) -> Estimable<T> {
    let is_worse = |new: f64, old: f64| match endpoint.direction {
        EndpointDirection::AtLeast => new < old,
        EndpointDirection::AtMost => new > old,
    };
    values
        .reduce(|worst, next| if is_worse(next.0, worst.0) { next } else { worst })
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
