//! People: rows of the table that the first release called operators.

use fedval_core::port::{PersonRow, PublicKey};
use sqlx::Error;

use super::database::{Row, Transaction};
use super::row::{bytes, parsed};

pub(super) const LIST: &str =
    "-- person_list\nSELECT name, role, public_key FROM operators ORDER BY name";

pub(super) fn person_row(row: &Row) -> Result<PersonRow, Error> {
    Ok(PersonRow {
        name: parsed(row, "name")?,
        role: parsed(row, "role")?,
        key: PublicKey::from_bytes(bytes(row, "public_key")?),
    })
}

impl Transaction {
    pub(super) async fn person_list(&mut self) -> Result<Vec<PersonRow>, Error> {
        self.rows(LIST, &[]).await?.iter().map(person_row).collect()
    }

    /// Whoever gets another key or role starts anew: what an earlier one opened is closed.
    pub(super) async fn person_close(&mut self, person: &PersonRow) -> Result<(), Error> {
        let values = [
            person.name.as_str().into(),
            person.role.as_str().into(),
            person.key.as_bytes()[..].into(),
        ];
        let passes = "-- person_put: passes
            DELETE FROM passes WHERE name = $1 AND EXISTS (
                SELECT 1 FROM operators
                WHERE name = $1 AND (role <> $2 OR public_key <> $3))";
        self.execute(passes, &values).await?;
        let credentials = "-- person_put: credentials
            DELETE FROM credentials WHERE name = $1 AND EXISTS (
                SELECT 1 FROM operators WHERE name = $1 AND public_key <> $2)";
        self.execute(credentials, &[values[0], values[2]]).await?;
        Ok(())
    }

    pub(super) async fn person_record(&mut self, person: &PersonRow) -> Result<(), Error> {
        self.execute(
            "-- person_put
             INSERT INTO operators (name, role, public_key) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE
             SET role = excluded.role, public_key = excluded.public_key",
            &[
                person.name.as_str().into(),
                person.role.as_str().into(),
                person.key.as_bytes()[..].into(),
            ],
        )
        .await?;
        Ok(())
    }
}
