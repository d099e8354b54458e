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
