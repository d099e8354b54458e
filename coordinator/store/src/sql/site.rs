//! Sites, their invitations, people.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_core::port::{
    InvitationId, InvitationRow, InvitationState, NewInvitation, PersonRow, PublicKey, SiteRow,
    SiteState, SiteStore, StoreError,
};
use fedval_study::{Name, SiteId};
use sqlx::Error;

use super::SqlStore;
use super::database::{Row, Transaction};
use super::invitation::invitation_row;
use super::person::{self, person_row};
use super::row::{count, damaged, optional_bytes, parsed};

const STATES: [(SiteState, &str); 3] = [
    (SiteState::Invited, "invited"),
    (SiteState::Enrolled, "enrolled"),
    (SiteState::Revoked, "revoked"),
];

const LIST: &str = "-- site_list
    SELECT site_id, state, public_key, certificate FROM sites ORDER BY site_id";

fn site_row(row: &Row) -> Result<SiteRow, Error> {
    let text: &str = row.get("state")?;
    let known = STATES.iter().find(|(_, candidate)| *candidate == text);
    let state = known.map(|(state, _)| *state).ok_or_else(|| damaged("state"))?;
    Ok(SiteRow { site: parsed(row, "site_id")?, state, certificate: row.get("certificate")? })
}

impl Transaction {
    pub(super) async fn site_list(&mut self) -> Result<Vec<(SiteRow, Option<PublicKey>)>, Error> {
        let with_key = |row: &Row| {
            let key = optional_bytes(row, "public_key")?.map(PublicKey::from_bytes);
            Ok((site_row(row)?, key))
        };
        self.rows(LIST, &[]).await?.iter().map(with_key).collect()
    }

    /// A site as a snapshot has it.
    pub(super) async fn site_restore(
        &mut self,
        site: &SiteRow,
        key: Option<&PublicKey>,
    ) -> Result<(), Error> {
        let state = STATES
            .iter()
            .find(|(candidate, _)| *candidate == site.state)
            .map(|(_, text)| *text)
            .expect("every state is in the table");
        self.execute(
            "-- site_restore
             INSERT INTO sites (site_id, state, public_key, certificate) VALUES ($1, $2, $3, $4)",
            &[
                site.site.as_str().into(),
                state.into(),
                key.map(|key| &key.as_bytes()[..]).into(),
                site.certificate.as_deref().into(),
            ],
        )
        .await?;
        Ok(())
    }
}

#[async_trait]
impl SiteStore for SqlStore {
    async fn invitation_insert(&self, invitation: &NewInvitation) -> Result<(), StoreError> {
        self.during("invitation_insert", || async {
            let mut tx = self.begin().await?;
            tx.execute(
                "-- invitation_insert: site
                 INSERT INTO sites (site_id, state) VALUES ($1, 'invited')
                 ON CONFLICT (site_id) DO UPDATE SET state = 'invited', public_key = NULL",
                &[invitation.site.as_str().into()],
            )
            .await?;
            tx.invitation_replace(&invitation.site).await?;
            tx.invitation_record(&InvitationRow {
                invitation: invitation.clone(),
                state: InvitationState::Pending,
                wrong_tries: 0,
            })
            .await?;
            tx.commit().await
        })
        .await
    }

    async fn invitation_find(
        &self,
        invitation: &InvitationId,
    ) -> Result<Option<InvitationRow>, StoreError> {
        self.during("invitation_find", || async {
            let sql = "-- invitation_find
                SELECT invitation_id, site_id, token_hash, expires_at_ms, redeemed_by, replaced,
                       wrong_tries
                FROM invitations WHERE invitation_id = $1";
            let row = self.row(sql, &[invitation.as_bytes()[..].into()]).await?;
            row.as_ref().map(invitation_row).transpose()
        })
        .await
    }

    async fn invitation_count_wrong(&self, invitation: &InvitationId) -> Result<u32, StoreError> {
        self.during("invitation_count_wrong", || async {
            let sql = "-- invitation_count_wrong
                UPDATE invitations SET wrong_tries = wrong_tries + 1 WHERE invitation_id = $1
                RETURNING wrong_tries";
            let row = self.row(sql, &[invitation.as_bytes()[..].into()]).await?;
            row.map_or(Ok(0), |row| count(&row, "wrong_tries"))
        })
        .await
    }

    async fn invitation_redeem(
        &self,
        invitation: &InvitationId,
        now: Timestamp,
        most_wrong: u32,
        key: &PublicKey,
        certificate: &str,
    ) -> Result<bool, StoreError> {
        self.during("invitation_redeem", || async {
            let mut tx = self.begin().await?;
            if !tx.invitation_use(invitation, now, most_wrong, key).await? {
                return Ok(false);
            }
            tx.execute(
                "-- invitation_redeem: site
                 UPDATE sites SET state = 'enrolled', public_key = $2, certificate = $3
                 WHERE site_id = (SELECT site_id FROM invitations WHERE invitation_id = $1)",
                &[invitation.as_bytes()[..].into(), key.as_bytes()[..].into(), certificate.into()],
            )
            .await?;
            tx.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn site_renew(
        &self,
        site: &SiteId,
        key: &PublicKey,
        certificate: &str,
    ) -> Result<bool, StoreError> {
        self.during("site_renew", || async {
            let renewed = self
                .execute(
                    "-- site_renew
                     UPDATE sites SET certificate = $3
                     WHERE site_id = $1 AND public_key = $2 AND state = 'enrolled'",
                    &[site.as_str().into(), key.as_bytes()[..].into(), certificate.into()],
                )
                .await?;
            Ok(renewed == 1)
        })
        .await
    }

    async fn site_by_key(&self, key: &PublicKey) -> Result<Option<SiteId>, StoreError> {
        self.during("site_by_key", || async {
            let sql = "-- site_by_key
                SELECT site_id FROM sites WHERE public_key = $1 AND state = 'enrolled'";
            let row = self.row(sql, &[key.as_bytes()[..].into()]).await?;
            row.map(|row| parsed(&row, "site_id")).transpose()
        })
        .await
    }

    async fn site_find(&self, site: &SiteId) -> Result<Option<SiteRow>, StoreError> {
        self.during("site_find", || async {
            let sql = "-- site_find
                SELECT site_id, state, certificate FROM sites WHERE site_id = $1";
            let row = self.row(sql, &[site.as_str().into()]).await?;
            row.as_ref().map(site_row).transpose()
        })
        .await
    }

    async fn site_list(&self) -> Result<Vec<SiteRow>, StoreError> {
        self.during("site_list", || async {
            self.rows(LIST, &[]).await?.iter().map(site_row).collect()
        })
        .await
    }

    async fn site_revoke(&self, site: &SiteId) -> Result<bool, StoreError> {
        self.during("site_revoke", || async {
            let key = [site.as_str().into()];
            let mut tx = self.begin().await?;
            let revoke = "-- site_revoke\nUPDATE sites SET state = 'revoked' WHERE site_id = $1";
            if tx.execute(revoke, &key).await? == 0 {
                return Ok(false);
            }
            tx.invitation_replace(site).await?;
            let end = "-- site_revoke: session
                UPDATE sessions SET ends_at_ms = NULL WHERE site_id = $1";
            tx.execute(end, &key).await?;
            tx.count_change().await?;
            tx.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn person_put(&self, person: &PersonRow) -> Result<(), StoreError> {
        self.during("person_put", || async {
            let mut tx = self.begin().await?;
            tx.person_close(person).await?;
            tx.person_record(person).await?;
            tx.commit().await
        })
        .await
    }

    async fn person_remove(&self, name: &Name) -> Result<bool, StoreError> {
        self.during("person_remove", || async {
            let sql = "-- person_remove\nDELETE FROM operators WHERE name = $1";
            Ok(self.execute(sql, &[name.as_str().into()]).await? == 1)
        })
        .await
    }

    async fn person_by_key(&self, key: &PublicKey) -> Result<Option<PersonRow>, StoreError> {
        self.during("person_by_key", || async {
            let sql = "-- person_by_key
                SELECT name, role, public_key FROM operators WHERE public_key = $1";
            let row = self.row(sql, &[key.as_bytes()[..].into()]).await?;
            row.as_ref().map(person_row).transpose()
        })
        .await
    }

    async fn person_list(&self) -> Result<Vec<PersonRow>, StoreError> {
        self.during("person_list", || async {
            self.rows(person::LIST, &[]).await?.iter().map(person_row).collect()
        })
        .await
    }
}
