//! One attempt at a question: why it brought nothing, and when another is made.

use std::io;
use std::time::Duration;

use tokio::time::sleep;

use super::tls::told_by_tls;
use super::{CaseFault, FetchError, Pacs, PacsError};

/// A request that fails is made again so often.
const RETRIES: u32 = 3;
/// A PACS that asks for more patience is not asked again.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Why a question brought nothing that is of use.
pub(super) enum Trouble {
    /// Another try would end so again, and it is known whose fault that is.
    Known(FetchError),
    /// Another try would end so again: the case's fault where the PACS is otherwise well, else the
    /// PACS's.
    Doubtful(CaseFault, PacsError),
    /// The PACS asks for patience, perhaps for how long.
    Busy(Option<Duration>),
    /// There was no connection.
    Unreachable,
    /// The connection was lost, the time was up, or the PACS failed.
    Broken,
}

impl From<PacsError> for Trouble {
    fn from(error: PacsError) -> Self {
        match error {
            PacsError::Unreachable => Self::Unreachable,
            error => Self::Known(error.into()),
        }
    }
}

impl From<CaseFault> for Trouble {
    fn from(fault: CaseFault) -> Self {
        match fault {
            // It may come from what stands in the place of the PACS, such as a page that says when
            // it is back.
            CaseFault::AnswerInvalid => Self::Doubtful(fault, PacsError::Failed),
            fault => Self::Known(fault.into()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        told_by_tls(&error).map_or(Self::Broken, Self::from)
    }
}

impl From<hyper::Error> for Trouble {
    fn from(error: hyper::Error) -> Self {
        told_by_tls(&error).map_or(Self::Broken, Self::from)
    }
}

impl Pacs {
    /// Makes an attempt, and again where another may end otherwise.
    pub(super) async fn again<T, A: Future<Output = Result<T, Trouble>>>(
        &self,
        attempt: impl Fn() -> A,
    ) -> Result<T, Trouble> {
        let mut wait = Duration::from_millis(self.limits.first_wait_millis);
        for _ in 0..RETRIES {
            let pause = match attempt().await {
                Err(Trouble::Busy(Some(asked))) if asked <= LONGEST_WAIT => asked,
                Err(Trouble::Busy(None) | Trouble::Unreachable | Trouble::Broken) => wait,
                done => return done,
            };
            sleep(pause).await;
            wait *= 2;
        }
        attempt().await
    }
}
