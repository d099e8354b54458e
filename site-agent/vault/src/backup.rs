//! A copy of the vault, whole, while others use it.

use std::path::Path;

use crate::{Vault, VaultError};

impl Vault {
    /// Writes a copy of everything at one moment to a file that does not exist yet.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the file exists or the disk fails.
    pub async fn copy_to(&self, file: &Path) -> Result<(), VaultError> {
        sqlx::query("-- copy_to\nVACUUM INTO ?1")
            .bind(file.display().to_string())
            .execute(&self.pool)
            .await
            .map_err(VaultError::during("copy_to"))?;
        Ok(())
    }
}
