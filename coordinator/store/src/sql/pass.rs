//! What opens the pages.

use fedval_ambient::Timestamp;
use fedval_core::port::{PassHolder, PassRow};
use fedval_study::{Name, Sha256Digest};
use sqlx::Error;

use super::SqlStore;
use super::database::{Row, Transaction};
use super::row::{bytes, damaged, moment};

fn pass_row(row: &Row) -> Result<PassRow, Error> {
    let person = row.get::<Option<&str>>("name")?;
    let study = row.get::<Option<&str>>("study_id")?;
    let holder = match (person, study) {
        (Some(name), None) => PassHolder::Person(name.parse().map_err(|_| damaged("name"))?),
        (None, Some(study)) => PassHolder::Reader(study.parse().map_err(|_| damaged("study_id"))?),
        _ => return Err(damaged("name")),
    };
    let secret_hash = Sha256Digest::from_bytes(bytes(row, "secret_hash")?);
    Ok(PassRow { secret_hash, holder, expires_at: moment(row, "expires_at_ms")? })
}

impl Transaction {
    pub(super) async fn pass_end_of_person(&mut self, name: &Name) -> Result<(), Error> {
        let sql = "-- pass_end_of_person\nDELETE FROM passes WHERE name = $1";
        self.execute(sql, &[name.as_str().into()]).await.map(|_| ())
    }
}

impl SqlStore {
    pub(super) async fn pass_keep(&self, pass: &PassRow, now: Timestamp) -> Result<bool, Error> {
        const OF_PERSON: &str = "-- pass_insert: person
            INSERT INTO passes (secret_hash, name, expires_at_ms)
            SELECT $1, name, $3 FROM operators WHERE name = $2";
        const OF_STUDY: &str = "-- pass_insert: study
            INSERT INTO passes (secret_hash, study_id, expires_at_ms)
            SELECT $1, study_id, $3 FROM studies WHERE study_id = $2";
        let (sql, holder) = match &pass.holder {
            PassHolder::Person(name) => (OF_PERSON, name.as_str()),
            PassHolder::Reader(study) => (OF_STUDY, study.as_str()),
        };
        let expires_at = pass.expires_at.unix_millis();
        let values = [pass.secret_hash.as_bytes()[..].into(), holder.into(), expires_at.into()];
        let mut tx = self.begin().await?;
        let old = "-- pass_insert: expired\nDELETE FROM passes WHERE expires_at_ms <= $1";
        tx.execute(old, &[now.unix_millis().into()]).await?;
        let kept = tx.execute(sql, &values).await? == 1;
        tx.commit().await?;
        Ok(kept)
    }

    pub(super) async fn pass_of(
        &self,
        secret_hash: &Sha256Digest,
        now: Timestamp,
    ) -> Result<Option<PassRow>, Error> {
        let sql = "-- pass_find
            SELECT secret_hash, name, study_id, expires_at_ms FROM passes
            WHERE secret_hash = $1 AND expires_at_ms > $2";
        let values = [secret_hash.as_bytes()[..].into(), now.unix_millis().into()];
        self.row(sql, &values).await?.as_ref().map(pass_row).transpose()
    }
}
