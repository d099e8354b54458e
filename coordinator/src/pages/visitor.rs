//! Who asks for a page: by the cookies of a login or of a link, looked up at every request.

use axum::extract::{FromRequestParts, Path};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use fedval_core::port::PersonRow;
use fedval_core::{PassSecret, Visitor};
use fedval_study::StudyId;

use super::Pages;
use super::answer::Refusal;

/// Sent back to this host alone, over TLS alone, to no script.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// A cookie. Browsers take no such name from another host or without TLS.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cookie {
    /// Of a person who logged in.
    Login,
    /// Of whoever followed a link.
    Link,
}

impl Cookie {
    const fn name(self) -> &'static str {
        match self {
            Self::Login => "__Host-fedval",
            Self::Link => "__Host-fedval-link",
        }
    }

    /// The header that sets it until the browser is closed.
    pub(super) fn set(self, secret: &PassSecret) -> (HeaderName, HeaderValue) {
        let text = format!("{}={}; {ATTRIBUTES}", self.name(), secret.as_str());
        let value = HeaderValue::from_str(&text).expect("secrets are hexadecimal digits");
        (SET_COOKIE, value)
    }

    /// The header that ends it.
    pub(super) fn end(self) -> (HeaderName, HeaderValue) {
        let text = format!("{}=; Max-Age=0; {ATTRIBUTES}", self.name());
        (SET_COOKIE, HeaderValue::from_str(&text).expect("the name is plain"))
    }

    /// What a browser sent.
    pub(super) fn of(self, headers: &HeaderMap) -> Option<PassSecret> {
        let sent = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            sent.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, secret) = pairs.find(|(name, _)| *name == self.name())?;
        Some(PassSecret::sent(secret.to_owned()))
    }
}

async fn holder(
    pages: &Pages,
    parts: &Parts,
    cookie: Cookie,
) -> Result<Option<(Visitor, PassSecret)>, Refusal> {
    let Some(secret) = cookie.of(&parts.headers) else { return Ok(None) };
    let found = pages.coordinator.visitor(&secret).await;
    Ok(found.map_err(|error| Refusal::failed(&error))?.map(|visitor| (visitor, secret)))
}

/// A person who logged in, in any role.
#[derive(Debug)]
pub(super) struct LoggedIn(pub(super) PersonRow);

impl FromRequestParts<Pages> for LoggedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Refusal> {
        match holder(pages, parts, Cookie::Login).await? {
            Some((Visitor::Person(person), _)) => Ok(Self(person)),
            Some((Visitor::Reader(_), _)) | None => Err(Refusal::LogIn),
        }
    }
}

/// Somebody who may read the study that the path names.
#[derive(Debug)]
pub(super) struct Reading {
    /// The study.
    pub(super) study: StudyId,
    /// The person; absent where a link opened it.
    pub(super) person: Option<PersonRow>,
    /// What let the visitor in.
    pass: PassSecret,
}

impl Reading {
    /// Whether it would let the visitor in now.
    pub(super) async fn still_may(&self, pages: &Pages) -> bool {
        match pages.coordinator.visitor(&self.pass).await {
            Ok(Some(Visitor::Person(_))) => self.person.is_some(),
            Ok(Some(Visitor::Reader(study))) => self.person.is_none() && study == self.study,
            Ok(None) | Err(_) => false,
        }
    }
}

impl FromRequestParts<Pages> for Reading {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Refusal> {
        let path = Path::<Vec<(String, String)>>::from_request_parts(parts, pages).await;
        let Path(path) = path.map_err(|_| Refusal::NotFound)?;
        let named = path.iter().find(|(name, _)| name == "study");
        let study: StudyId =
            named.and_then(|(_, text)| text.parse().ok()).ok_or(Refusal::NotFound)?;
        if let Some((Visitor::Person(person), pass)) = holder(pages, parts, Cookie::Login).await? {
            return Ok(Self { study, person: Some(person), pass });
        }
        match holder(pages, parts, Cookie::Link).await? {
            Some((Visitor::Reader(own), pass)) if own == study => {
                Ok(Self { study, person: None, pass })
            }
            // A reader who is nobody else learns no more of other studies than that they are not theirs.
            Some((Visitor::Reader(_), _)) => Err(Refusal::NotFound),
            Some((Visitor::Person(_), _)) | None => Err(Refusal::LogIn),
        }
    }
}
