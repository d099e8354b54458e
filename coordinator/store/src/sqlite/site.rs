//! Sites, invitations, operators.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_core::port::{OperatorRow, PublicKey, SiteRow, SiteState, SiteStore, StoreError};
use fedval_study::{Sha256Digest, SiteId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use super::SqliteStore;
use super::row::{bytes32, damaged, parsed};

fn site_row(row: &SqliteRow) -> Result<SiteRow, Error> {
    let state = match row.try_get::<&str, _>("state")? {
        "invited" => SiteState::Invited,
        "enrolled" => SiteState::Enrolled,
        "revoked" => SiteState::Revoked,
        _ => return Err(damaged("state")),
    };
    Ok(SiteRow { site: parsed(row, "site_id")?, state, certificate: row.try_get("certificate")? })
}

#[async_trait]
impl SiteStore for SqliteStore {
    async fn invitation_insert(
        &self,
        site: &SiteId,
        token_hash: &Sha256Digest,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let tag = StoreError::during::<Error>("invitation_insert");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        sqlx::query(
            "-- invitation_insert: site
             INSERT INTO sites (site_id, state) VALUES (?1, 'invited')
             ON CONFLICT (site_id) DO UPDATE SET state = 'invited', public_key = NULL",
        )
        .bind(site.as_str())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        sqlx::query(
            "-- invitation_insert: replace pending
             UPDATE invitations SET used_at_ms = 0 WHERE site_id = ?1 AND used_at_ms IS NULL",
        )
        .bind(site.as_str())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        sqlx::query(
            "-- invitation_insert
             INSERT INTO invitations (token_hash, site_id, expires_at_ms) VALUES (?1, ?2, ?3)",
        )
        .bind(&token_hash.as_bytes()[..])
        .bind(site.as_str())
        .bind(expires_at.unix_millis())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        tx.commit().await.map_err(&tag)
    }

    async fn invitation_find(
        &self,
        token_hash: &Sha256Digest,
        now: Timestamp,
    ) -> Result<Option<SiteId>, StoreError> {
        let tag = StoreError::during::<Error>("invitation_find");
        let row = sqlx::query(
            "-- invitation_find
             SELECT site_id FROM invitations
             WHERE token_hash = ?1 AND used_at_ms IS NULL AND expires_at_ms > ?2",
        )
        .bind(&token_hash.as_bytes()[..])
        .bind(now.unix_millis())
        .fetch_optional(&self.pool)
        .await
        .map_err(&tag)?;
        row.map(|row| parsed(&row, "site_id")).transpose().map_err(&tag)
    }

    async fn invitation_redeem(
        &self,
        token_hash: &Sha256Digest,
        now: Timestamp,
        key: &PublicKey,
        certificate: &str,
    ) -> Result<bool, StoreError> {
        let tag = StoreError::during::<Error>("invitation_redeem");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        let used = sqlx::query(
            "-- invitation_redeem
             UPDATE invitations SET used_at_ms = ?2
             WHERE token_hash = ?1 AND used_at_ms IS NULL AND expires_at_ms > ?2",
        )
        .bind(&token_hash.as_bytes()[..])
        .bind(now.unix_millis())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        if used.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "-- invitation_redeem: site
             UPDATE sites SET state = 'enrolled', public_key = ?2, certificate = ?3
             WHERE site_id = (SELECT site_id FROM invitations WHERE token_hash = ?1)",
        )
        .bind(&token_hash.as_bytes()[..])
        .bind(&key.as_bytes()[..])
        .bind(certificate)
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        tx.commit().await.map_err(&tag)?;
        Ok(true)
    }

    async fn site_by_key(&self, key: &PublicKey) -> Result<Option<SiteId>, StoreError> {
        let tag = StoreError::during::<Error>("site_by_key");
        let row = sqlx::query(
            "-- site_by_key
             SELECT site_id FROM sites WHERE public_key = ?1 AND state = 'enrolled'",
        )
        .bind(&key.as_bytes()[..])
        .fetch_optional(&self.pool)
        .await
        .map_err(&tag)?;
        row.map(|row| parsed(&row, "site_id")).transpose().map_err(&tag)
    }

    async fn site_find(&self, site: &SiteId) -> Result<Option<SiteRow>, StoreError> {
        let tag = StoreError::during::<Error>("site_find");
        let row = sqlx::query("-- site_find\nSELECT * FROM sites WHERE site_id = ?1")
            .bind(site.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(&tag)?;
        row.as_ref().map(site_row).transpose().map_err(&tag)
    }

    async fn site_list(&self) -> Result<Vec<SiteRow>, StoreError> {
        let tag = StoreError::during::<Error>("site_list");
        let rows = sqlx::query("-- site_list\nSELECT * FROM sites ORDER BY site_id")
            .fetch_all(&self.pool)
            .await
            .map_err(&tag)?;
        rows.iter().map(site_row).collect::<Result<_, _>>().map_err(&tag)
    }

    async fn site_revoke(&self, site: &SiteId) -> Result<bool, StoreError> {
        let tag = StoreError::during::<Error>("site_revoke");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        let done =
            sqlx::query("-- site_revoke\nUPDATE sites SET state = 'revoked' WHERE site_id = ?1")
                .bind(site.as_str())
                .execute(&mut *tx)
                .await
                .map_err(&tag)?;
        sqlx::query(
            "-- site_revoke: invitations
             UPDATE invitations SET used_at_ms = 0 WHERE site_id = ?1 AND used_at_ms IS NULL",
        )
        .bind(site.as_str())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        tx.commit().await.map_err(&tag)?;
        Ok(done.rows_affected() == 1)
    }

    async fn operator_put(&self, operator: &OperatorRow) -> Result<(), StoreError> {
        sqlx::query(
            "-- operator_put
             INSERT INTO operators (name, public_key) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET public_key = excluded.public_key",
        )
        .bind(operator.name.as_str())
        .bind(&operator.key.as_bytes()[..])
        .execute(&self.pool)
        .await
        .map_err(StoreError::during("operator_put"))?;
        Ok(())
    }

    async fn operator_by_key(&self, key: &PublicKey) -> Result<Option<OperatorRow>, StoreError> {
        let tag = StoreError::during::<Error>("operator_by_key");
        let row = sqlx::query("-- operator_by_key\nSELECT * FROM operators WHERE public_key = ?1")
            .bind(&key.as_bytes()[..])
            .fetch_optional(&self.pool)
            .await
            .map_err(&tag)?;
        let operator = |row: SqliteRow| {
            Ok(OperatorRow {
                name: parsed(&row, "name")?,
                key: PublicKey::from_bytes(bytes32(&row, "public_key")?),
            })
        };
        row.map(operator).transpose().map_err(&tag)
    }
}
