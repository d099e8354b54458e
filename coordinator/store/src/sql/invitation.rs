//! Invitations: their rows, making one, using one up.

use fedval_ambient::Timestamp;
use fedval_core::port::{InvitationId, InvitationRow, InvitationState, NewInvitation, PublicKey};
use fedval_study::{Sha256Digest, SiteId};
use sqlx::Error;

use super::database::{Row, Transaction};
use super::row::{bytes, count, damaged, moment, optional_bytes, parsed};

pub(super) fn invitation_row(row: &Row) -> Result<InvitationRow, Error> {
    let redeemed_by = optional_bytes(row, "redeemed_by")?.map(PublicKey::from_bytes);
    let state = match (row.get::<i64>("replaced")?, redeemed_by) {
        (0, None) => InvitationState::Pending,
        (0, Some(key)) => InvitationState::Redeemed(key),
        (1, None) => InvitationState::Replaced,
        _ => return Err(damaged("replaced")),
    };
    Ok(InvitationRow {
        invitation: NewInvitation {
            id: InvitationId::from_bytes(bytes(row, "invitation_id")?),
            site: parsed(row, "site_id")?,
            token_hash: Sha256Digest::from_bytes(bytes(row, "token_hash")?),
            expires_at: moment(row, "expires_at_ms")?,
        },
        state,
        wrong_tries: count(row, "wrong_tries")?,
    })
}

impl Transaction {
    pub(super) async fn invitation_list(&mut self) -> Result<Vec<InvitationRow>, Error> {
        let sql = "-- invitation_list
            SELECT invitation_id, site_id, token_hash, expires_at_ms, redeemed_by, replaced,
                   wrong_tries
            FROM invitations ORDER BY invitation_id";
        self.rows(sql, &[]).await?.iter().map(invitation_row).collect()
    }

    pub(super) async fn invitation_record(&mut self, row: &InvitationRow) -> Result<(), Error> {
        let (redeemed_by, replaced) = match &row.state {
            InvitationState::Pending => (None, 0),
            InvitationState::Redeemed(key) => (Some(&key.as_bytes()[..]), 0),
            InvitationState::Replaced => (None, 1),
        };
        self.execute(
            "-- invitation_insert
             INSERT INTO invitations (invitation_id, site_id, token_hash, expires_at_ms,
                                      redeemed_by, replaced, wrong_tries)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                row.invitation.id.as_bytes()[..].into(),
                row.invitation.site.as_str().into(),
                row.invitation.token_hash.as_bytes()[..].into(),
                row.invitation.expires_at.unix_millis().into(),
                redeemed_by.into(),
                replaced.into(),
                i64::from(row.wrong_tries).into(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Makes a site's pending invitations stop working.
    pub(super) async fn invitation_replace(&mut self, site: &SiteId) -> Result<(), Error> {
        self.execute(
            "-- invitation_replace
             UPDATE invitations SET replaced = 1
             WHERE site_id = $1 AND replaced = 0 AND redeemed_by IS NULL",
            &[site.as_str().into()],
        )
        .await?;
        Ok(())
    }

    /// Uses up an invitation that works; `false` where it does not.
    pub(super) async fn invitation_use(
        &mut self,
        invitation: &InvitationId,
        now: Timestamp,
        most_wrong: u32,
        key: &PublicKey,
    ) -> Result<bool, Error> {
        let id = &invitation.as_bytes()[..];
        // Sites before invitations, as whoever invites or revokes the site locks them.
        let lock = "-- invitation_redeem: the site waits
            SELECT 1 FROM sites
            WHERE site_id IN (SELECT site_id FROM invitations WHERE invitation_id = $1) FOR UPDATE";
        self.lock(lock, &[id.into()]).await?;
        let used = self
            .execute(
                "-- invitation_redeem
                 UPDATE invitations SET redeemed_by = $4
                 WHERE invitation_id = $1 AND replaced = 0 AND redeemed_by IS NULL
                   AND expires_at_ms > $2 AND wrong_tries < $3",
                &[
                    id.into(),
                    now.unix_millis().into(),
                    i64::from(most_wrong).into(),
                    key.as_bytes()[..].into(),
                ],
            )
            .await?;
        Ok(used == 1)
    }
}
