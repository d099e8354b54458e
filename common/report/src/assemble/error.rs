//! Documents that do not make a report.

use fedval_disclosure::rules::dc01_closed_schema::SchemaBreach;
use fedval_preprocess::probe::ProbesRefused;
use fedval_study::performance::ContradictoryPerformance;
use fedval_study::{CanonicalError, SiteId};

/// Protocol, round record and results do not belong together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssembleError {
    /// The round record is about something else.
    #[error("the round record names another {field} than the protocol")]
    RoundDisagrees {
        /// What differs.
        field: &'static str,
    },
    /// The record's sites are not in order of ids, or one is listed twice.
    #[error("the sites of the round record are not in order, each once")]
    SitesOutOfOrder,
    /// A time is not one that a calendar has.
    #[error("a time in the round record is out of range")]
    TimeOutOfRange,
    /// The record speaks of a result that is not there.
    #[error("the round record lists a result of {site} that is not here")]
    ResultAbsent {
        /// The site.
        site: SiteId,
    },
    /// A result is there that the record does not speak of.
    #[error("there is a result of {site} that the round record does not list")]
    ResultUnexpected {
        /// The site.
        site: SiteId,
    },
    /// The record's entry and the result disagree.
    #[error("the round record and the result of {site} disagree on its {field}")]
    RecordDisagrees {
        /// The site.
        site: SiteId,
        /// What differs.
        field: &'static str,
    },
    /// A result is about something else.
    #[error("the result of {site} names another {field}")]
    HeaderDisagrees {
        /// The site.
        site: SiteId,
        /// What differs.
        field: &'static str,
    },
    /// A result rests on scores that were made elsewhere.
    #[error("the result of {site} rests on a prediction table, which the protocol does not accept")]
    PredictionsNotAccepted {
        /// The site.
        site: SiteId,
    },
    /// A site's images were not prepared as the protocol says, or it does not show that they were.
    #[error("the images of {site} were not shown to be prepared as the protocol says")]
    Preprocessing {
        /// The site.
        site: SiteId,
        /// What differs.
        #[source]
        source: ProbesRefused,
    },
    /// A result has no canonical form.
    #[error("the result of {site} has no canonical form")]
    NotCanonical {
        /// The site.
        site: SiteId,
        /// Why.
        #[source]
        source: CanonicalError,
    },
    /// A release breaks the protocol's schema.
    #[error("the release of {site} does not fit the protocol")]
    Schema {
        /// The site.
        site: SiteId,
        /// How.
        #[source]
        source: SchemaBreach,
    },
    /// A release is looser than the study's disclosure floor.
    #[error("the release of {site} is below the study's disclosure floor")]
    BelowFloor {
        /// The site.
        site: SiteId,
    },
    /// A release contradicts itself.
    #[error("the aggregates of {site} contradict each other")]
    Contradictory {
        /// The site.
        site: SiteId,
        /// How.
        #[source]
        source: ContradictoryPerformance,
    },
}
