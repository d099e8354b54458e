//! Sessions.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_core::port::{NewSession, SessionOpened, SessionStore, StoreError};
use fedval_study::SiteId;

use super::SqlStore;
use super::row::{count, integer};

/// One statement, so that of two connections at once the second is judged by what the first made.
const OPEN: &str = "-- session_open
    INSERT INTO sessions (site_id, epoch, instance, ends_at_ms) VALUES ($1, 1, $2, $5)
    ON CONFLICT (site_id) DO UPDATE
    SET epoch = sessions.epoch + 1, instance = excluded.instance, ends_at_ms = excluded.ends_at_ms
    WHERE sessions.ends_at_ms IS NULL
       OR sessions.ends_at_ms <= $4
       OR sessions.ends_at_ms > $5
       OR sessions.instance = $2
       OR sessions.instance = $3
    RETURNING epoch";

#[async_trait]
impl SessionStore for SqlStore {
    async fn session_open(&self, session: &NewSession) -> Result<SessionOpened, StoreError> {
        let instance = &session.instance.0.as_bytes()[..];
        let previous = session.previous.as_ref().map(|previous| &previous.0.as_bytes()[..]);
        self.during("session_open", || async {
            let mut tx = self.begin().await?;
            let values = [
                session.site.as_str().into(),
                instance.into(),
                previous.into(),
                session.now.unix_millis().into(),
                session.ends_at.unix_millis().into(),
            ];
            let granted = tx.row(OPEN, &values).await?;
            let epoch = granted.map(|row| count(&row, "epoch")).transpose()?;
            tx.commit().await?;
            Ok(epoch.map_or(SessionOpened::HeldByAnother, SessionOpened::Granted))
        })
        .await
    }

    async fn session_extend(
        &self,
        site: &SiteId,
        epoch: u64,
        ends_at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.during("session_extend", || async {
            let mut tx = self.begin().await?;
            let extended = tx
                .execute(
                    "-- session_extend
                     UPDATE sessions SET ends_at_ms = $3
                     WHERE site_id = $1 AND epoch = $2 AND ends_at_ms IS NOT NULL",
                    &[site.as_str().into(), integer(epoch)?.into(), ends_at.unix_millis().into()],
                )
                .await?;
            if extended == 0 {
                return Ok(false);
            }
            tx.execute(
                "-- session_extend: leases
                 UPDATE dispatches SET lease_ends_at_ms = $2
                 WHERE site_id = $1 AND lease_ends_at_ms IS NOT NULL
                   AND round_id IN (SELECT round_id FROM rounds WHERE closed_at_ms IS NULL)",
                &[site.as_str().into(), ends_at.unix_millis().into()],
            )
            .await?;
            tx.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn session_end(&self, site: &SiteId, epoch: u64) -> Result<(), StoreError> {
        self.during("session_end", || async {
            self.execute(
                "-- session_end
                 UPDATE sessions SET ends_at_ms = NULL WHERE site_id = $1 AND epoch = $2",
                &[site.as_str().into(), integer(epoch)?.into()],
            )
            .await?;
            Ok(())
        })
        .await
    }
}
