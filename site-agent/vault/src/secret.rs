//! Secrets of the site.

use fedval_ambient::Entropy;
use sqlx::Row as _;

use crate::row::damaged;
use crate::{Vault, VaultError};

impl Vault {
    /// The secret with which cohorts are committed to; made at the first call.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn cohort_secret(&self, entropy: &dyn Entropy) -> Result<[u8; 32], VaultError> {
        let tag = VaultError::during("cohort_secret");
        sqlx::query(
            "-- cohort_secret: make
             INSERT INTO secrets (name, value) VALUES ('cohort', ?1) ON CONFLICT DO NOTHING",
        )
        .bind(&entropy.bytes32()[..])
        .execute(&self.pool)
        .await
        .map_err(&tag)?;
        let row = sqlx::query("-- cohort_secret\nSELECT value FROM secrets WHERE name = 'cohort'")
            .fetch_one(&self.pool)
            .await
            .map_err(&tag)?;
        let bytes: Vec<u8> = row.try_get("value").map_err(&tag)?;
        bytes.try_into().map_err(|_| tag(damaged("value")))
    }
}
