//! Background job: renews the server's certificate when half of its life is over, with the same key
//! and for the same hosts.

use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Clock, Entropy, Failure};
use fedval_trust::{Authority, Role};
use tokio::sync::Notify;

use crate::home::{CERTIFICATE_DAYS, Home};

const LOOK_SECONDS: u64 = 3600;

/// What a renewal needs.
#[derive(Debug)]
pub(super) struct Renewal {
    pub(super) home: Home,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    /// Rung when a new certificate is there.
    pub(super) look: Arc<Notify>,
}

impl Renewal {
    /// Looks for as long as the server runs.
    pub(super) async fn watch(self) {
        loop {
            match self.renew_if_due() {
                Ok(true) => {
                    tracing::info!("server certificate renewed");
                    self.look.notify_one();
                }
                Ok(false) => {}
                Err(failure) => tracing::error!(
                    code = failure.code,
                    remedy = failure.remedy,
                    "server certificate not renewed: {}",
                    failure.message
                ),
            }
            tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)).await;
        }
    }

    fn renew_if_due(&self) -> Result<bool, Failure> {
        let (key, certificate) = self.home.pair("server")?;
        if self.clock.now() < certificate.half_life() {
            return Ok(false);
        }
        // Kept elsewhere by some: then a person renews, and is told so while there is time.
        let (root_key, root) = self.home.pair("root")?;
        let hosts = certificate.hosts()?;
        let renewed = Authority::from_parts(root_key, root).issue(
            &Role::Server,
            &key,
            &hosts,
            CERTIFICATE_DAYS,
            self.clock.as_ref(),
            self.entropy.as_ref(),
        )?;
        self.home.replace_certificate("server", &renewed)?;
        Ok(true)
    }
}
