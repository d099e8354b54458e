//! What became of single cases, so that a restart goes on where it was.

use std::collections::BTreeMap;
use std::fmt;

use fedval_disclosure::SiteLocal;
use fedval_study::summary::FailureReason;
use fedval_study::{RoundId, Sha256Digest};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};

use crate::row::{damaged, json, to_json};
use crate::{Vault, VaultError};

/// Cases of one page.
const PAGE_CASES: i64 = 2_000;

/// What became of one case.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// The model's score, as the bits of an f64: JSON would round some.
    Score(u64),
    /// Its score of each class, in the same way.
    Scores(Vec<u64>),
    /// Two masks, held against each other.
    Masks(MasksOutcome),
    /// Boxes that the model found, in pixels of the image: left, upper, right and lower edge and the score of each, as the
    /// bits of an f64.
    Boxes(Vec<[u64; 5]>),
    /// No usable result.
    Failed(FailureReason),
    /// None either: its file made the box try what nothing honest does there, and the kernel ended it.
    Forbidden,
}

/// How the masks of a case compare.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MasksOutcome {
    /// Both hold something: Dice, the 95th percentile of distances in millimetres, and normalised surface Dice, as the
    /// bits of an f64 each.
    Both([u64; 3]),
    /// The reference standard's alone does.
    OnlyReference,
    /// The predicted one alone does.
    OnlyPredicted,
    /// Neither does.
    Neither,
}

impl fmt::Debug for MasksOutcome {
    /// Names the type only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasksOutcome(..)")
    }
}

/// One case's checkpoint.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Digest of the manifest's row: a checkpoint of a row that changed since is not used.
    pub row: Sha256Digest,
    /// What became of it.
    pub outcome: CaseOutcome,
    /// Attributes from the image's header, by keyword.
    pub attributes: BTreeMap<String, String>,
    /// Digest of the image file; absent where it could not be read.
    pub image: Option<Sha256Digest>,
}

impl CaseOutcome {
    /// Under which reason a case without a usable result is counted; none of one that has a result.
    #[must_use]
    pub const fn failure(&self) -> Option<FailureReason> {
        match self {
            Self::Failed(reason) => Some(*reason),
            Self::Forbidden => Some(FailureReason::Undecodable),
            Self::Score(_) | Self::Scores(_) | Self::Masks(_) | Self::Boxes(_) => None,
        }
    }

    /// Whether both say the same of a case: how its box ended is not the case's.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        match (self.failure(), other.failure()) {
            (None, None) => self == other,
            (one, other) => one == other,
        }
    }
}

impl fmt::Debug for CaseOutcome {
    /// Names the type only: what became of a patient's image does not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaseOutcome(..)")
    }
}

impl fmt::Debug for Checkpoint {
    /// Names the type only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checkpoint(..)")
    }
}

impl Vault {
    /// Records one case.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn checkpoint_put(
        &self,
        round: &RoundId,
        case_index: usize,
        checkpoint: &SiteLocal<Checkpoint>,
    ) -> Result<(), VaultError> {
        self.checkpoint_put_all(round, [(case_index, checkpoint)]).await
    }

    /// Records several cases: all of them or, where the database fails, none.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn checkpoint_put_all<'c>(
        &self,
        round: &RoundId,
        checkpoints: impl IntoIterator<Item = (usize, &'c SiteLocal<Checkpoint>)>,
    ) -> Result<(), VaultError> {
        let tag = VaultError::during("checkpoint_put_all");
        let row = |(index, checkpoint): (usize, &SiteLocal<Checkpoint>)| {
            let index = i64::try_from(index).unwrap_or(i64::MAX);
            Ok((index, to_json(checkpoint.open_on_site())?))
        };
        let rows: Vec<(i64, String)> =
            checkpoints.into_iter().map(row).collect::<Result<_, Error>>().map_err(&tag)?;
        // One statement is one transaction and one wait for the disk.
        sqlx::query(
            "-- checkpoint_put_all
             INSERT INTO checkpoints (round_id, case_index, outcome)
             SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?2) WHERE true
             ON CONFLICT DO UPDATE SET outcome = excluded.outcome",
        )
        .bind(round.as_str())
        .bind(to_json(&rows).map_err(&tag)?)
        .execute(&self.pool)
        .await
        .map_err(&tag)?;
        Ok(())
    }

    /// The first cases recorded for a job whose position in the manifest is `from` or behind it, in the order of positions:
    /// some thousands at most, so that what is held does not grow with the cohort. None after the last.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn checkpoint_page(
        &self,
        round: &RoundId,
        from: usize,
    ) -> Result<SiteLocal<Vec<(usize, Checkpoint)>>, VaultError> {
        let tag = VaultError::during("checkpoint_page");
        let Ok(from) = i64::try_from(from) else { return Ok(SiteLocal::new(Vec::new())) };
        let rows = sqlx::query(
            "-- checkpoint_page
             SELECT case_index, outcome FROM checkpoints
             WHERE round_id = ?1 AND case_index >= ?2 ORDER BY case_index LIMIT ?3",
        )
        .bind(round.as_str())
        .bind(from)
        .bind(PAGE_CASES)
        .fetch_all(&self.pool)
        .await
        .map_err(&tag)?;
        let page = rows.iter().map(case).collect::<Result<_, Error>>();
        Ok(SiteLocal::new(page.map_err(&tag)?))
    }

    /// Every case recorded for a job, by position in the manifest.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn checkpoint_list(
        &self,
        round: &RoundId,
    ) -> Result<SiteLocal<BTreeMap<usize, Checkpoint>>, VaultError> {
        let tag = VaultError::during("checkpoint_list");
        let rows = sqlx::query(
            "-- checkpoint_list
             SELECT case_index, outcome FROM checkpoints WHERE round_id = ?1",
        )
        .bind(round.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(&tag)?;
        let checkpoints = rows.iter().map(case).collect::<Result<_, Error>>();
        Ok(SiteLocal::new(checkpoints.map_err(&tag)?))
    }
}

fn case(row: &SqliteRow) -> Result<(usize, Checkpoint), Error> {
    let index: i64 = row.try_get("case_index")?;
    let index = usize::try_from(index).map_err(|_| damaged("case_index"))?;
    Ok((index, json(row, "outcome")?))
}

/// Removes the scores of a job that was answered.
pub(crate) async fn forget_scores(
    connection: &mut SqliteConnection,
    round: &RoundId,
) -> Result<(), Error> {
    sqlx::query(
        "-- checkpoint: forget scores
         DELETE FROM checkpoints
         WHERE round_id = ?1 AND coalesce(
             json_extract(outcome, '$.outcome.score'),
             json_extract(outcome, '$.outcome.scores'),
             json_extract(outcome, '$.outcome.masks'),
             json_extract(outcome, '$.outcome.boxes')
         ) IS NOT NULL",
    )
    .bind(round.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
