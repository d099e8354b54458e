//! Rounds and leases.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_core::port::{DispatchRow, Phase, RoundRow, RoundStore, StoreError};
use fedval_study::{RoundId, SiteId, StudyId};
use sqlx::Error;

use super::SqlStore;
use super::database::{Row, Transaction};
use super::dispatch::{dispatch_row, dispatch_rows, phase_text};
use super::row::{count, integer, moment, optional_moment, parsed};

fn round_row(row: &Row) -> Result<RoundRow, Error> {
    Ok(RoundRow {
        round: parsed(row, "round_id")?,
        study: parsed(row, "study_id")?,
        number: count(row, "number")?,
        protocol_version: count(row, "protocol_version")?,
        opened_at: moment(row, "opened_at_ms")?,
        closed_at: optional_moment(row, "closed_at_ms")?,
        deadline_at: optional_moment(row, "deadline_at_ms")?,
    })
}

fn round_rows(rows: &[Row]) -> Result<Vec<RoundRow>, Error> {
    rows.iter().map(round_row).collect()
}

impl Transaction {
    pub(super) async fn round_list(&mut self) -> Result<Vec<RoundRow>, Error> {
        let sql = "-- round_list: all
            SELECT round_id, study_id, number, protocol_version, opened_at_ms, closed_at_ms,
                       deadline_at_ms
            FROM rounds ORDER BY round_id";
        round_rows(&self.rows(sql, &[]).await?)
    }

    /// Records a round; returns 0 where the study has an open round or the number is taken.
    pub(super) async fn round_record(&mut self, round: &RoundRow) -> Result<u64, Error> {
        self.execute(
            "-- round_open
             INSERT INTO rounds
                 (round_id, study_id, number, protocol_version, opened_at_ms, closed_at_ms,
                  deadline_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT DO NOTHING",
            &[
                round.round.as_str().into(),
                round.study.as_str().into(),
                i64::from(round.number).into(),
                i64::from(round.protocol_version).into(),
                round.opened_at.unix_millis().into(),
                round.closed_at.map(Timestamp::unix_millis).into(),
                round.deadline_at.map(Timestamp::unix_millis).into(),
            ],
        )
        .await
    }

    /// Closes a round. Whoever records a result or a dispatch in it has finished before, or finds it
    /// closed.
    async fn round_end(&mut self, round: &RoundId, now: Timestamp) -> Result<bool, Error> {
        let closed = self
            .execute(
                "-- round_close
                 UPDATE rounds SET closed_at_ms = $2 WHERE round_id = $1 AND closed_at_ms IS NULL",
                &[round.as_str().into(), now.unix_millis().into()],
            )
            .await?;
        Ok(closed == 1)
    }
}

#[async_trait]
impl RoundStore for SqlStore {
    async fn round_open(&self, round: &RoundRow) -> Result<bool, StoreError> {
        self.during("round_open", || async {
            let mut tx = self.begin().await?;
            if tx.version_in_force(&round.study).await? != Some(round.protocol_version) {
                return Ok(false);
            }
            let opened = tx.round_record(round).await?;
            tx.commit().await?;
            Ok(opened == 1)
        })
        .await
    }

    async fn round_list(&self, study: &StudyId) -> Result<Vec<RoundRow>, StoreError> {
        self.during("round_list", || async {
            let sql = "-- round_list
                SELECT round_id, study_id, number, protocol_version, opened_at_ms, closed_at_ms,
                       deadline_at_ms
                FROM rounds WHERE study_id = $1 ORDER BY number";
            round_rows(&self.rows(sql, &[study.as_str().into()]).await?)
        })
        .await
    }

    async fn round_find(&self, round: &RoundId) -> Result<Option<RoundRow>, StoreError> {
        self.during("round_find", || async {
            let sql = "-- round_find
                SELECT round_id, study_id, number, protocol_version, opened_at_ms, closed_at_ms,
                       deadline_at_ms
                FROM rounds WHERE round_id = $1";
            let row = self.row(sql, &[round.as_str().into()]).await?;
            row.as_ref().map(round_row).transpose()
        })
        .await
    }

    async fn round_set_deadline(
        &self,
        round: &RoundId,
        deadline_at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.during("round_set_deadline", || async {
            let set = self
                .execute(
                    "-- round_set_deadline
                     UPDATE rounds SET deadline_at_ms = $2
                     WHERE round_id = $1 AND closed_at_ms IS NULL",
                    &[round.as_str().into(), deadline_at.unix_millis().into()],
                )
                .await?;
            Ok(set == 1)
        })
        .await
    }

    async fn round_close(&self, round: &RoundId, now: Timestamp) -> Result<bool, StoreError> {
        self.during("round_close", || async {
            let mut tx = self.begin().await?;
            if !tx.round_end(round, now).await? {
                return Ok(false);
            }
            tx.count_change().await?;
            tx.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn dispatch_insert(&self, rows: &[DispatchRow]) -> Result<usize, StoreError> {
        self.during("dispatch_insert", || async {
            let mut tx = self.begin().await?;
            let recorded = tx.dispatch_record_new(rows).await?;
            if recorded > 0 {
                tx.count_change().await?;
                tx.commit().await?;
            }
            Ok(recorded)
        })
        .await
    }

    async fn dispatch_find(
        &self,
        round: &RoundId,
        site: &SiteId,
    ) -> Result<Option<DispatchRow>, StoreError> {
        self.during("dispatch_find", || async {
            let sql = "-- dispatch_find
                SELECT round_id, site_id, dispatch, endorsement, dispatched_at_ms, phase,
                       lease_epoch, lease_ends_at_ms
                FROM dispatches WHERE round_id = $1 AND site_id = $2";
            let row = self.row(sql, &[round.as_str().into(), site.as_str().into()]).await?;
            row.as_ref().map(dispatch_row).transpose()
        })
        .await
    }

    async fn dispatch_list(&self, round: &RoundId) -> Result<Vec<DispatchRow>, StoreError> {
        self.during("dispatch_list", || async {
            let sql = "-- dispatch_list
                SELECT round_id, site_id, dispatch, endorsement, dispatched_at_ms, phase,
                       lease_epoch, lease_ends_at_ms
                FROM dispatches WHERE round_id = $1 ORDER BY site_id";
            dispatch_rows(&self.rows(sql, &[round.as_str().into()]).await?)
        })
        .await
    }

    async fn dispatch_pending(&self, site: &SiteId) -> Result<Vec<DispatchRow>, StoreError> {
        self.during("dispatch_pending", || async {
            let sql = "-- dispatch_pending
                SELECT d.round_id, d.site_id, d.dispatch, d.endorsement, d.dispatched_at_ms,
                       d.phase, d.lease_epoch, d.lease_ends_at_ms
                FROM dispatches AS d
                JOIN rounds AS r ON r.round_id = d.round_id AND r.closed_at_ms IS NULL
                WHERE d.site_id = $1 AND NOT EXISTS (
                    SELECT 1 FROM results AS s
                    WHERE s.round_id = d.round_id AND s.site_id = d.site_id)
                ORDER BY d.round_id";
            dispatch_rows(&self.rows(sql, &[site.as_str().into()]).await?)
        })
        .await
    }

    async fn dispatch_set_phase(
        &self,
        round: &RoundId,
        site: &SiteId,
        phase: Phase,
    ) -> Result<(), StoreError> {
        self.during("dispatch_set_phase", || async {
            self.execute(
                "-- dispatch_set_phase
                 UPDATE dispatches SET phase = $3 WHERE round_id = $1 AND site_id = $2",
                &[round.as_str().into(), site.as_str().into(), phase_text(phase).into()],
            )
            .await?;
            Ok(())
        })
        .await
    }

    async fn lease_grant(
        &self,
        round: &RoundId,
        site: &SiteId,
        epoch: u64,
        ends_at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.during("lease_grant", || async {
            let mut tx = self.begin().await?;
            let lock = "-- lease_grant: the session stays current
                SELECT 1 FROM sessions WHERE site_id = $1 FOR SHARE";
            tx.lock(lock, &[site.as_str().into()]).await?;
            let granted = tx
                .execute(
                    "-- lease_grant
                     UPDATE dispatches SET lease_epoch = $3, lease_ends_at_ms = $4
                     WHERE round_id = $1 AND site_id = $2 AND EXISTS (
                         SELECT 1 FROM sessions
                         WHERE site_id = $2 AND epoch = $3 AND ends_at_ms IS NOT NULL)",
                    &[
                        round.as_str().into(),
                        site.as_str().into(),
                        integer(epoch)?.into(),
                        ends_at.unix_millis().into(),
                    ],
                )
                .await?;
            tx.commit().await?;
            Ok(granted == 1)
        })
        .await
    }
}
