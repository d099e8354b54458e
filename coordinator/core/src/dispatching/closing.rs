//! Ending a round, by a person's decision alone.

use fedval_study::{LogEvent, RoundId, SiteId, StudyId};

use super::CloseError;
use crate::Coordinator;

/// A closed round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The round.
    pub round: RoundId,
    /// Sites that were asked and did not answer, in order of ids: the report names them.
    pub missing: Vec<SiteId>,
}

impl Coordinator {
    /// Closes the open round: no further results. Where the last round is closed already, says so
    /// again: an operator who lost the answer asks once more.
    ///
    /// # Errors
    ///
    /// See [`CloseError`].
    pub async fn study_close(&self, study: &StudyId) -> Result<Closed, CloseError> {
        let none = || CloseError::NoOpenRound { study: study.clone() };
        let round = self.store.round_list(study).await?.pop().ok_or_else(none)?.round;
        if self.store.round_close(&round, self.clock.now()).await? {
            self.log(LogEvent::RoundClosed { round: round.clone() }).await?;
            tracing::info!(%study, %round, "round closed");
        }
        // After the close: what arrived before it counts, and nothing arrives any more.
        let results = self.store.result_list(&round).await?;
        let missing = self
            .store
            .dispatch_list(&round)
            .await?
            .into_iter()
            .map(|dispatch| dispatch.site)
            .filter(|site| results.iter().all(|result| result.site != *site))
            .collect();
        Ok(Closed { round, missing })
    }
}
