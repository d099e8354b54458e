//! Passwords of people, and the port of what opens the pages.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_core::port::{CredentialRow, CredentialStore, PassRow, StoreError, Try, TryLimit};
use fedval_study::{Name, Sha256Digest, StudyId};
use sqlx::Error;

use super::SqlStore;
use super::database::{Row, Transaction};
use super::row::{damaged, parsed};

const LIST: &str = "-- credential_list
    SELECT name, password_hash, is_issued FROM credentials ORDER BY name";

/// In one statement, so that callers at once are counted one after the other.
const TRY: &str = "-- credential_try
    UPDATE credentials
    SET tries = CASE WHEN first_try_at_ms <= $2 THEN 1 ELSE tries + 1 END,
        first_try_at_ms = CASE WHEN first_try_at_ms <= $2 THEN $3 ELSE first_try_at_ms END
    WHERE name = $1 AND (first_try_at_ms <= $2 OR tries < $4)
    RETURNING name, password_hash, is_issued";

fn credential_row(row: &Row) -> Result<CredentialRow, Error> {
    let is_issued = match row.get::<i64>("is_issued")? {
        0 => false,
        1 => true,
        _ => return Err(damaged("is_issued")),
    };
    Ok(CredentialRow {
        name: parsed(row, "name")?,
        password_hash: row.get("password_hash")?,
        is_issued,
    })
}

impl Transaction {
    pub(super) async fn credential_rows(&mut self) -> Result<Vec<CredentialRow>, Error> {
        self.rows(LIST, &[]).await?.iter().map(credential_row).collect()
    }

    /// Keeps a password of a person who is there, and returns how many were kept.
    pub(super) async fn credential_record(&mut self, row: &CredentialRow) -> Result<u64, Error> {
        let values = [
            row.name.as_str().into(),
            row.password_hash.as_str().into(),
            i64::from(row.is_issued).into(),
        ];
        self.execute(
            "-- credential_put
             INSERT INTO credentials (name, password_hash, is_issued, tries, first_try_at_ms)
             SELECT name, $2, $3, 0, 0 FROM operators WHERE name = $1
             ON CONFLICT (name) DO UPDATE
             SET password_hash = excluded.password_hash, is_issued = excluded.is_issued,
                 tries = 0, first_try_at_ms = 0",
            &values,
        )
        .await
    }
}

#[async_trait]
impl CredentialStore for SqlStore {
    async fn credential_put(&self, row: &CredentialRow) -> Result<bool, StoreError> {
        self.during("credential_put", || async {
            let mut tx = self.begin().await?;
            if tx.credential_record(row).await? == 0 {
                return Ok(false);
            }
            tx.pass_end_of_person(&row.name).await?;
            tx.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn credential_try(
        &self,
        name: &Name,
        now: Timestamp,
        limit: TryLimit,
    ) -> Result<Try, StoreError> {
        self.during("credential_try", || async {
            let over = now.plus_seconds(-limit.window_seconds);
            let values = [
                name.as_str().into(),
                over.unix_millis().into(),
                now.unix_millis().into(),
                i64::from(limit.tries).into(),
            ];
            let mut tx = self.begin().await?;
            let counted = tx.row(TRY, &values).await?.as_ref().map(credential_row).transpose()?;
            let known = "-- credential_try: known\nSELECT name FROM credentials WHERE name = $1";
            let is_known = tx.row(known, &values[..1]).await?.is_some();
            tx.commit().await?;
            Ok(match counted {
                Some(row) => Try::Counted(row),
                None if is_known => Try::TooMany,
                None => Try::Unknown,
            })
        })
        .await
    }

    async fn credential_clear(&self, name: &Name) -> Result<(), StoreError> {
        self.during("credential_clear", || async {
            let sql = "-- credential_clear
                UPDATE credentials SET tries = 0, first_try_at_ms = 0 WHERE name = $1";
            self.execute(sql, &[name.as_str().into()]).await.map(|_| ())
        })
        .await
    }

    async fn pass_insert(&self, pass: &PassRow, now: Timestamp) -> Result<bool, StoreError> {
        self.during("pass_insert", || self.pass_keep(pass, now)).await
    }

    async fn pass_find(
        &self,
        secret_hash: &Sha256Digest,
        now: Timestamp,
    ) -> Result<Option<PassRow>, StoreError> {
        self.during("pass_find", || self.pass_of(secret_hash, now)).await
    }

    async fn pass_end(&self, secret_hash: &Sha256Digest) -> Result<(), StoreError> {
        self.during("pass_end", || async {
            let sql = "-- pass_end\nDELETE FROM passes WHERE secret_hash = $1";
            self.execute(sql, &[secret_hash.as_bytes()[..].into()]).await.map(|_| ())
        })
        .await
    }

    async fn pass_end_of_study(&self, study: &StudyId) -> Result<u64, StoreError> {
        self.during("pass_end_of_study", || async {
            let sql = "-- pass_end_of_study\nDELETE FROM passes WHERE study_id = $1";
            self.execute(sql, &[study.as_str().into()]).await
        })
        .await
    }
}
