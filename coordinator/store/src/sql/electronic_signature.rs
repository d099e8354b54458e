//! What people signed.

use async_trait::async_trait;
use fedval_core::port::{SignatureRow, SignatureStore, StoreError};
use fedval_study::RoundId;
use sqlx::Error;

use super::SqlStore;
use super::database::{Row, Transaction};
use super::row::{json, to_json};

const LIST: &str = "-- signature_list
    SELECT statement, endorsement FROM electronic_signatures
    WHERE round_id = $1 ORDER BY signed_at_ms, signer, meaning";

const ALL: &str = "-- signature_list: every round
    SELECT statement, endorsement FROM electronic_signatures
    ORDER BY round_id, signed_at_ms, signer, meaning";

fn signature_row(row: &Row) -> Result<SignatureRow, Error> {
    Ok(SignatureRow { statement: json(row, "statement")?, endorsement: json(row, "endorsement")? })
}

impl Transaction {
    /// Keeps a signature unless one of the same person, report and meaning is there, and returns how many
    /// were kept.
    pub(super) async fn signature_record(&mut self, row: &SignatureRow) -> Result<u64, Error> {
        let SignatureRow { statement, endorsement } = row;
        let (text, endorsement) = (to_json(statement)?, to_json(endorsement)?);
        self.execute(
            "-- signature_insert
             INSERT INTO electronic_signatures
                 (round_id, report, signer, meaning, signed_at_ms, statement, endorsement)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (round_id, report, signer, meaning) DO NOTHING",
            &[
                statement.round.as_str().into(),
                statement.report.as_bytes()[..].into(),
                statement.signer.as_str().into(),
                statement.meaning.as_str().into(),
                statement.signed_at_ms.into(),
                text.as_str().into(),
                endorsement.as_str().into(),
            ],
        )
        .await
    }

    pub(super) async fn signature_rows(&mut self) -> Result<Vec<SignatureRow>, Error> {
        self.rows(ALL, &[]).await?.iter().map(signature_row).collect()
    }
}

#[async_trait]
impl SignatureStore for SqlStore {
    async fn signature_insert(&self, row: &SignatureRow) -> Result<bool, StoreError> {
        self.during("signature_insert", || async {
            let mut tx = self.begin().await?;
            let kept = tx.signature_record(row).await? == 1;
            tx.commit().await?;
            Ok(kept)
        })
        .await
    }

    async fn signature_list(&self, round: &RoundId) -> Result<Vec<SignatureRow>, StoreError> {
        self.during("signature_list", || async {
            self.rows(LIST, &[round.as_str().into()]).await?.iter().map(signature_row).collect()
        })
        .await
    }
}
