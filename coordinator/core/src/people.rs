//! Who may call the coordinator as a person, and as what.

use fedval_ambient::Problem;
use fedval_study::{LogEvent, Name, PersonRole, Sha256Digest};
use fedval_trust::PublicKey;

use crate::Coordinator;
use crate::port::{PersonRow, StoreError};

/// A person is not admitted or dismissed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PersonError {
    /// There is no such person.
    #[error("there is no person `{name}`")]
    NotFound {
        /// The name.
        name: Name,
    },
    /// Nobody would be left to run the consortium.
    #[error("`{name}` is the last operator")]
    LastOperator {
        /// The name.
        name: Name,
    },
    /// The key speaks for somebody else already.
    #[error("this key belongs to somebody else")]
    KeyTaken,
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for PersonError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "PERSON_NOT_FOUND",
            Self::LastOperator { .. } => "PERSON_LAST_OPERATOR",
            Self::KeyTaken => "PERSON_KEY_TAKEN",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => "run `fedval person list` to see who there is".to_owned(),
            Self::LastOperator { .. } => {
                "admit another operator first: `fedval person admit NAME --role operator --out DIR`"
                    .to_owned()
            }
            Self::KeyTaken => "give each person a key of their own".to_owned(),
            Self::Store(_) => "look at the log of `fedval serve`".to_owned(),
        })
    }
}

impl Coordinator {
    /// Admits a person, or gives one another key or role.
    ///
    /// # Errors
    ///
    /// See [`PersonError`].
    pub async fn person_admit(
        &self,
        name: Name,
        role: PersonRole,
        key: PublicKey,
    ) -> Result<(), PersonError> {
        let known = self.store.person_by_key(&key).await?;
        let is_site = self.store.site_by_key(&key).await?.is_some();
        if is_site || known.is_some_and(|known| known.name != name) {
            return Err(PersonError::KeyTaken);
        }
        if role != PersonRole::Operator {
            self.leaves_an_operator(&name).await?;
        }
        self.store.person_put(&PersonRow { name: name.clone(), role, key }).await?;
        tracing::info!(%name, %role, "person admitted");
        let key = Sha256Digest::of(key.as_bytes());
        Ok(self.log(LogEvent::PersonAdmitted { name, role, key }).await?)
    }

    /// Ends what a person may do, at the next call.
    ///
    /// # Errors
    ///
    /// See [`PersonError`].
    pub async fn person_dismiss(&self, name: Name) -> Result<(), PersonError> {
        self.leaves_an_operator(&name).await?;
        if !self.store.person_remove(&name).await? {
            return Err(PersonError::NotFound { name });
        }
        tracing::info!(%name, "person dismissed");
        Ok(self.log(LogEvent::PersonDismissed { name }).await?)
    }

    async fn leaves_an_operator(&self, without: &Name) -> Result<(), PersonError> {
        let people = self.store.person_list().await?;
        let mut operators = people.iter().filter(|person| person.role == PersonRole::Operator);
        let is_last = operators.clone().any(|person| person.name == *without)
            && operators.all(|person| person.name == *without);
        if is_last { Err(PersonError::LastOperator { name: without.clone() }) } else { Ok(()) }
    }
}
