//! Rounds, dispatches, leases.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_core::port::{DispatchRow, Phase, RoundRow, RoundStore, StoreError};
use fedval_study::{RoundId, SiteId, StudyId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use super::SqliteStore;
use super::row::{damaged, json, moment, optional_moment, parsed, to_json};

const PHASES: [(Phase, &str); 6] = [
    (Phase::Queued, "queued"),
    (Phase::Approved, "approved"),
    (Phase::Downloading, "downloading"),
    (Phase::Evaluating, "evaluating"),
    (Phase::AwaitingRelease, "awaiting_release"),
    (Phase::Sent, "sent"),
];

fn phase_text(phase: Phase) -> &'static str {
    PHASES
        .iter()
        .find(|(candidate, _)| *candidate == phase)
        .map(|(_, text)| *text)
        .expect("every phase is in the table")
}

fn round_row(row: &SqliteRow) -> Result<RoundRow, Error> {
    Ok(RoundRow {
        round: parsed(row, "round_id")?,
        study: parsed(row, "study_id")?,
        number: row.try_get("number")?,
        opened_at: moment(row, "opened_at_ms")?,
        closed_at: optional_moment(row, "closed_at_ms")?,
    })
}

fn dispatch_row(row: &SqliteRow) -> Result<DispatchRow, Error> {
    let phase = row.try_get::<Option<String>, _>("phase")?;
    let phase = phase.map(|text| {
        let known = PHASES.iter().find(|(_, candidate)| *candidate == text);
        known.map(|(phase, _)| *phase).ok_or_else(|| damaged("phase"))
    });
    let epoch: i64 = row.try_get("lease_epoch")?;
    Ok(DispatchRow {
        round: parsed(row, "round_id")?,
        site: parsed(row, "site_id")?,
        dispatch: row.try_get("dispatch")?,
        endorsement: json(row, "endorsement")?,
        dispatched_at: moment(row, "dispatched_at_ms")?,
        phase: phase.transpose()?,
        lease_epoch: epoch.try_into().map_err(|_| damaged("lease_epoch"))?,
        lease_ends_at: optional_moment(row, "lease_ends_at_ms")?,
    })
}

#[async_trait]
impl RoundStore for SqliteStore {
    async fn round_open(&self, round: &RoundRow) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "-- round_open
             INSERT INTO rounds (round_id, study_id, number, opened_at_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )
        .bind(round.round.as_str())
        .bind(round.study.as_str())
        .bind(round.number)
        .bind(round.opened_at.unix_millis())
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("round_open"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn round_list(&self, study: &StudyId) -> Result<Vec<RoundRow>, StoreError> {
        let tag = StoreError::during::<Error>("round_list");
        let rows =
            sqlx::query("-- round_list\nSELECT * FROM rounds WHERE study_id = ?1 ORDER BY number")
                .bind(study.as_str())
                .fetch_all(&self.pool)
                .await
                .map_err(&tag)?;
        rows.iter().map(round_row).collect::<Result<_, _>>().map_err(&tag)
    }

    async fn round_find(&self, round: &RoundId) -> Result<Option<RoundRow>, StoreError> {
        let tag = StoreError::during::<Error>("round_find");
        let row = sqlx::query("-- round_find\nSELECT * FROM rounds WHERE round_id = ?1")
            .bind(round.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(&tag)?;
        row.as_ref().map(round_row).transpose().map_err(&tag)
    }

    async fn round_close(&self, round: &RoundId, now: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "-- round_close
             UPDATE rounds SET closed_at_ms = ?2 WHERE round_id = ?1 AND closed_at_ms IS NULL",
        )
        .bind(round.as_str())
        .bind(now.unix_millis())
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("round_close"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn dispatch_insert(&self, row: &DispatchRow) -> Result<bool, StoreError> {
        let tag = StoreError::during::<Error>("dispatch_insert");
        let done = sqlx::query(
            "-- dispatch_insert
             INSERT INTO dispatches
                 (round_id, site_id, dispatch, endorsement, dispatched_at_ms, lease_epoch)
             VALUES (?1, ?2, ?3, ?4, ?5, 0)
             ON CONFLICT (round_id, site_id) DO NOTHING",
        )
        .bind(row.round.as_str())
        .bind(row.site.as_str())
        .bind(&row.dispatch)
        .bind(to_json(&row.endorsement).map_err(&tag)?)
        .bind(row.dispatched_at.unix_millis())
        .execute(&self.pool)
        .await
        .map_err(&tag)?;
        Ok(done.rows_affected() == 1)
    }

    async fn dispatch_find(
        &self,
        round: &RoundId,
        site: &SiteId,
    ) -> Result<Option<DispatchRow>, StoreError> {
        let tag = StoreError::during::<Error>("dispatch_find");
        let row = sqlx::query(
            "-- dispatch_find\nSELECT * FROM dispatches WHERE round_id = ?1 AND site_id = ?2",
        )
        .bind(round.as_str())
        .bind(site.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(&tag)?;
        row.as_ref().map(dispatch_row).transpose().map_err(&tag)
    }

    async fn dispatch_list(&self, round: &RoundId) -> Result<Vec<DispatchRow>, StoreError> {
        let tag = StoreError::during::<Error>("dispatch_list");
        let rows = sqlx::query(
            "-- dispatch_list\nSELECT * FROM dispatches WHERE round_id = ?1 ORDER BY site_id",
        )
        .bind(round.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(&tag)?;
        rows.iter().map(dispatch_row).collect::<Result<_, _>>().map_err(&tag)
    }

    async fn dispatch_pending(&self, site: &SiteId) -> Result<Vec<DispatchRow>, StoreError> {
        let tag = StoreError::during::<Error>("dispatch_pending");
        let rows = sqlx::query(
            "-- dispatch_pending
             SELECT d.* FROM dispatches AS d
             JOIN rounds AS r ON r.round_id = d.round_id AND r.closed_at_ms IS NULL
             WHERE d.site_id = ?1 AND NOT EXISTS (
                 SELECT 1 FROM results AS s WHERE s.round_id = d.round_id AND s.site_id = d.site_id)
             ORDER BY d.round_id",
        )
        .bind(site.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(&tag)?;
        rows.iter().map(dispatch_row).collect::<Result<_, _>>().map_err(&tag)
    }

    async fn dispatch_set_phase(
        &self,
        round: &RoundId,
        site: &SiteId,
        phase: Phase,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "-- dispatch_set_phase
             UPDATE dispatches SET phase = ?3 WHERE round_id = ?1 AND site_id = ?2",
        )
        .bind(round.as_str())
        .bind(site.as_str())
        .bind(phase_text(phase))
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("dispatch_set_phase"))?;
        Ok(())
    }

    async fn lease_grant(
        &self,
        round: &RoundId,
        site: &SiteId,
        ends_at: Timestamp,
    ) -> Result<u64, StoreError> {
        let tag = StoreError::during::<Error>("lease_grant");
        let row = sqlx::query(
            "-- lease_grant
             UPDATE dispatches SET lease_epoch = lease_epoch + 1, lease_ends_at_ms = ?3
             WHERE round_id = ?1 AND site_id = ?2 RETURNING lease_epoch",
        )
        .bind(round.as_str())
        .bind(site.as_str())
        .bind(ends_at.unix_millis())
        .fetch_optional(&self.pool)
        .await
        .map_err(&tag)?;
        let epoch: i64 = row.map_or(Ok(0), |row| row.try_get("lease_epoch")).map_err(&tag)?;
        u64::try_from(epoch).map_err(|_| tag(damaged("lease_epoch")))
    }

    async fn lease_extend(&self, site: &SiteId, ends_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "-- lease_extend
             UPDATE dispatches SET lease_ends_at_ms = ?2
             WHERE site_id = ?1 AND lease_ends_at_ms IS NOT NULL",
        )
        .bind(site.as_str())
        .bind(ends_at.unix_millis())
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("lease_extend"))?;
        Ok(())
    }
}
