//! Passwords of people: issued by an operator, replaced by the person, tried no more than a few times.

use fedval_ambient::Problem;
use fedval_study::Name;

use crate::Coordinator;
use crate::password::{Password, SHORTEST_PASSWORD};
use crate::port::{CredentialRow, PersonRow, StoreError, Try, TryLimit};

/// Wrong passwords that stop further tries for a quarter of an hour.
const LIMIT: TryLimit = TryLimit { tries: 5, window_seconds: 15 * 60 };

/// A password does not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// There is no such person. Said to operators alone.
    #[error("there is no person `{name}`")]
    NotFound {
        /// The name.
        name: Name,
    },
    /// Name and password do not belong together; which of them is wrong is not said.
    #[error("the name or the password is wrong")]
    Wrong,
    /// Too many were tried.
    #[error("too many wrong passwords were tried")]
    TooManyTries,
    /// The operator's choice stands still.
    #[error("the password that an operator issued was not replaced yet")]
    Issued,
    /// The new one is too short, too long, or the old one.
    #[error("the new password must be another one, of {SHORTEST_PASSWORD} to 256 characters")]
    NotAllowed,
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for CredentialError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "PERSON_NOT_FOUND",
            Self::Wrong => "PASSWORD_WRONG",
            Self::TooManyTries => "PASSWORD_TRIES",
            Self::Issued => "PASSWORD_ISSUED",
            Self::NotAllowed => "PASSWORD_NOT_ALLOWED",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => "run `fedval person list` to see who there is".to_owned(),
            Self::Wrong => {
                "try again, or ask an operator for `fedval person issue-password NAME`".to_owned()
            }
            Self::TooManyTries => {
                "wait a quarter of an hour, or ask an operator for `fedval person issue-password NAME`"
                    .to_owned()
            }
            Self::Issued => "choose your own: `fedval person password`".to_owned(),
            Self::NotAllowed => "choose a sentence: length is what counts".to_owned(),
            Self::Store(_) => "look at the log of `fedval serve`".to_owned(),
        })
    }
}

impl Coordinator {
    /// Makes a new password for a person, who must replace it before it opens anything else. Whatever the
    /// person had open is closed.
    ///
    /// # Errors
    ///
    /// See [`CredentialError`].
    pub async fn password_issue(&self, name: &Name) -> Result<Password, CredentialError> {
        let password = Password::issue(self.entropy.as_ref());
        if !self.password_keep(name, password.clone(), true).await? {
            return Err(CredentialError::NotFound { name: name.clone() });
        }
        tracing::info!(%name, "password issued");
        Ok(password)
    }

    /// Replaces a person's password by the person's own choice. Whatever was open is closed.
    ///
    /// # Errors
    ///
    /// See [`CredentialError`].
    pub async fn password_change(
        &self,
        name: &Name,
        old: &Password,
        new: Password,
    ) -> Result<(), CredentialError> {
        self.password_matches(name, old).await?;
        if !new.is_long_enough() || new == *old {
            return Err(CredentialError::NotAllowed);
        }
        if !self.password_keep(name, new, false).await? {
            return Err(CredentialError::Wrong);
        }
        tracing::info!(%name, "password changed");
        Ok(())
    }

    /// The person whose password this is.
    ///
    /// # Errors
    ///
    /// See [`CredentialError`]; [`CredentialError::Issued`] where it is right and must be replaced first.
    pub async fn password_check(
        &self,
        name: &Name,
        password: &Password,
    ) -> Result<PersonRow, CredentialError> {
        let row = self.password_matches(name, password).await?;
        if row.is_issued {
            return Err(CredentialError::Issued);
        }
        let people = self.store.person_list().await?;
        people.into_iter().find(|person| person.name == *name).ok_or(CredentialError::Wrong)
    }

    async fn password_matches(
        &self,
        name: &Name,
        password: &Password,
    ) -> Result<CredentialRow, CredentialError> {
        // Nobody chose one: it is refused before anything could tell who is there.
        if password.is_too_long() {
            return Err(CredentialError::Wrong);
        }
        let row = match self.store.credential_try(name, self.clock.now(), LIMIT).await? {
            Try::Counted(row) => Some(row),
            Try::Unknown => None,
            Try::TooMany => return Err(CredentialError::TooManyTries),
        };
        // Somebody who is not there takes as long as somebody who is.
        let hash = row.as_ref().map(|row| row.password_hash.clone());
        let typed = password.clone();
        let salt = self.entropy.bytes32();
        let is_right = self
            .hashing(move || match hash {
                Some(hash) => typed.matches(&hash),
                None => typed.hash(&salt).is_empty(),
            })
            .await;
        let row = row.filter(|_| is_right).ok_or(CredentialError::Wrong)?;
        self.store.credential_clear(name).await?;
        Ok(row)
    }

    async fn password_keep(
        &self,
        name: &Name,
        password: Password,
        is_issued: bool,
    ) -> Result<bool, StoreError> {
        let salt = self.entropy.bytes32();
        let password_hash = self.hashing(move || password.hash(&salt)).await;
        self.store
            .credential_put(&CredentialRow { name: name.clone(), password_hash, is_issued })
            .await
    }

    /// Runs what takes a core and much memory beside everything else, and only so many at once.
    async fn hashing<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _place = self.hashing.acquire().await.expect("nobody closes it");
        tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
    }
}
