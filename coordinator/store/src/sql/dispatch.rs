//! Dispatches: their rows, and recording many at once.

use std::collections::BTreeSet;

use fedval_ambient::Timestamp;
use fedval_core::port::{DispatchRow, Phase};
use sqlx::Error;

use super::database::{Row, Transaction};
use super::row::{count, damaged, integer, json, moment, optional_moment, parsed, to_json};

const PHASES: [(Phase, &str); 6] = [
    (Phase::Queued, "queued"),
    (Phase::Approved, "approved"),
    (Phase::Downloading, "downloading"),
    (Phase::Evaluating, "evaluating"),
    (Phase::AwaitingRelease, "awaiting_release"),
    (Phase::Sent, "sent"),
];

pub(super) fn phase_text(phase: Phase) -> &'static str {
    PHASES
        .iter()
        .find(|(candidate, _)| *candidate == phase)
        .map(|(_, text)| *text)
        .expect("every phase is in the table")
}

pub(super) fn dispatch_row(row: &Row) -> Result<DispatchRow, Error> {
    let phase = row.get::<Option<&str>>("phase")?;
    let phase = phase.map(|text| {
        let known = PHASES.iter().find(|(_, candidate)| *candidate == text);
        known.map(|(phase, _)| *phase).ok_or_else(|| damaged("phase"))
    });
    Ok(DispatchRow {
        round: parsed(row, "round_id")?,
        site: parsed(row, "site_id")?,
        dispatch: row.get("dispatch")?,
        endorsement: json(row, "endorsement")?,
        dispatched_at: moment(row, "dispatched_at_ms")?,
        phase: phase.transpose()?,
        lease_epoch: count(row, "lease_epoch")?,
        lease_ends_at: optional_moment(row, "lease_ends_at_ms")?,
    })
}

pub(super) fn dispatch_rows(rows: &[Row]) -> Result<Vec<DispatchRow>, Error> {
    rows.iter().map(dispatch_row).collect()
}

impl Transaction {
    /// Records dispatches where their rounds are open and have none to the site, and returns how
    /// many were recorded. The rounds cannot be closed before the transaction ends.
    pub(super) async fn dispatch_record_new(
        &mut self,
        rows: &[DispatchRow],
    ) -> Result<usize, Error> {
        let mut open = BTreeSet::new();
        for round in rows.iter().map(|row| row.round.as_str()).collect::<BTreeSet<_>>() {
            let lock = "-- dispatch_insert: the round stays open
                SELECT 1 FROM rounds WHERE round_id = $1 FOR SHARE";
            self.lock(lock, &[round.into()]).await?;
            let sql = "-- dispatch_insert: is it open
                SELECT round_id FROM rounds WHERE round_id = $1 AND closed_at_ms IS NULL";
            if self.row(sql, &[round.into()]).await?.is_some() {
                open.insert(round);
            }
        }
        let mut recorded = 0;
        // In order of keys, so that two who dispatch to the same sites wait for each other once.
        let mut rows: Vec<_> =
            rows.iter().filter(|row| open.contains(row.round.as_str())).collect();
        rows.sort_by_key(|row| (row.round.as_str(), row.site.as_str()));
        for row in rows {
            recorded += usize::from(self.dispatch_record(row).await? == 1);
        }
        Ok(recorded)
    }

    /// Records a dispatch; returns 0 where the round has one to the site.
    pub(super) async fn dispatch_record(&mut self, row: &DispatchRow) -> Result<u64, Error> {
        self.execute(
            "-- dispatch_insert
             INSERT INTO dispatches (round_id, site_id, dispatch, endorsement, dispatched_at_ms,
                                     phase, lease_epoch, lease_ends_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (round_id, site_id) DO NOTHING",
            &[
                row.round.as_str().into(),
                row.site.as_str().into(),
                row.dispatch[..].into(),
                to_json(&row.endorsement)?.as_str().into(),
                row.dispatched_at.unix_millis().into(),
                row.phase.map(phase_text).into(),
                integer(row.lease_epoch)?.into(),
                row.lease_ends_at.map(Timestamp::unix_millis).into(),
            ],
        )
        .await
    }

    pub(super) async fn dispatch_list(&mut self) -> Result<Vec<DispatchRow>, Error> {
        let sql = "-- dispatch_list: all
            SELECT round_id, site_id, dispatch, endorsement, dispatched_at_ms, phase, lease_epoch,
                   lease_ends_at_ms
            FROM dispatches ORDER BY round_id, site_id";
        dispatch_rows(&self.rows(sql, &[]).await?)
    }
}
