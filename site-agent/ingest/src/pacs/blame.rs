//! Whose fault it is that there is no image: the case's or the PACS's.
//!
//! A case that fails stays failed, and a cohort that lacks what a PACS could not give at some hour is
//! another one. So whatever a PACS in trouble may answer is told of a case only where the PACS
//! is otherwise well: it answers a question about nobody, and it gives out images of others.

use std::sync::atomic::Ordering;

use super::attempt::Trouble;
use super::{CaseFault, FetchError, Pacs, PacsError};

/// So many cases one after the other without an image are the PACS's fault. Fewer would hold up for
/// ever a cohort in which a few broken ones follow each other: the next run begins with them again.
const MOST_IN_A_ROW: u32 = 5;

impl Pacs {
    /// Asks once whether the PACS is there, lets this agent in, and speaks as it should.
    pub(super) async fn probe(&self) -> Result<(), PacsError> {
        let speaks_otherwise = self.way.speaks_otherwise();
        match self.ask_for_nobody().await {
            Ok(()) => Ok(()),
            Err(
                Trouble::Known(FetchError::Pacs(error))
                | Trouble::Doubtful(CaseFault::Failing, error),
            ) => Err(error),
            Err(Trouble::Known(FetchError::Case(_)) | Trouble::Doubtful(..)) => {
                Err(speaks_otherwise)
            }
            Err(Trouble::Busy(_)) => Err(PacsError::Busy),
            Err(Trouble::Unreachable) => Err(PacsError::Unreachable),
            Err(Trouble::Broken) => Err(PacsError::Failed),
        }
    }

    /// The same of a PACS that spoke as it should when the run began: what speaks in its place, such
    /// as a proxy while it starts, may be gone in a minute.
    pub(super) async fn probe_again(&self) -> Result<(), PacsError> {
        let is_well = self.probe().await;
        is_well.map_err(|error| match error {
            PacsError::NotDicomWeb | PacsError::NotDimse => PacsError::Failed,
            error => error,
        })
    }

    /// An image came: those that did not come before are their cases' fault.
    pub(super) fn has_given(&self) {
        self.in_a_row.store(0, Ordering::SeqCst);
    }

    /// Whose fault it is.
    pub(super) async fn blame(&self, trouble: Trouble) -> FetchError {
        let (fault, error) = match trouble {
            Trouble::Known(error) => return error,
            Trouble::Unreachable => return PacsError::Unreachable.into(),
            Trouble::Doubtful(fault, error) => (fault, error),
            Trouble::Busy(_) => (CaseFault::Failing, PacsError::Busy),
            Trouble::Broken => (CaseFault::Failing, PacsError::Failed),
        };
        if let Err(error) = self.probe_again().await {
            return error.into();
        }
        // Many a PACS that cannot reach its images still knows of them.
        if self.in_a_row.fetch_add(1, Ordering::SeqCst) + 1 >= MOST_IN_A_ROW {
            return error.into();
        }
        fault.into()
    }
}
