//! What people do in their own name, and what operators do for them.

use fedval_ambient::Problem;
use fedval_core::port::PersonRow;
use fedval_core::{Coordinator, Password};
use fedval_proto as proto;
use fedval_study::{Name, PersonRole};
use fedval_trust::PublicKey;
use tonic::Status;

use super::problem::status_of;

/// Nobody could follow a link.
#[derive(Debug, thiserror::Error)]
#[error("this coordinator serves no pages")]
struct NoPages;

impl Problem for NoPages {
    fn code(&self) -> &'static str {
        "PAGES_OFF"
    }

    fn remedy(&self) -> Option<String> {
        Some("set `pages` in fedval.toml and start `fedval serve` again".to_owned())
    }
}

fn person_name(text: &str) -> Result<Name, Status> {
    fedval_wire::id("name", text).map_err(|error| status_of(&error))
}

pub(super) async fn admit(
    coordinator: &Coordinator,
    request: proto::AdmitPersonRequest,
) -> Result<proto::AdmitPersonResponse, Status> {
    let role: PersonRole = request.role.parse().map_err(Status::invalid_argument)?;
    let key = fedval_wire::digest("public_key", &request.public_key);
    let key = PublicKey::from_bytes(*key.map_err(|error| status_of(&error))?.as_bytes());
    let admitted = coordinator.person_admit(person_name(&request.name)?, role, key).await;
    admitted.map_err(|error| status_of(&error))?;
    Ok(proto::AdmitPersonResponse {})
}

pub(super) async fn dismiss(
    coordinator: &Coordinator,
    request: proto::DismissPersonRequest,
) -> Result<proto::DismissPersonResponse, Status> {
    let dismissed = coordinator.person_dismiss(person_name(&request.name)?).await;
    dismissed.map_err(|error| status_of(&error))?;
    Ok(proto::DismissPersonResponse {})
}

pub(super) async fn list(coordinator: &Coordinator) -> Result<proto::ListPeopleResponse, Status> {
    let people = coordinator.store().person_list().await.map_err(|e| status_of(&e))?;
    let entry = |person: PersonRow| proto::PersonEntry {
        name: person.name.to_string(),
        role: person.role.to_string(),
    };
    Ok(proto::ListPeopleResponse { people: people.into_iter().map(entry).collect() })
}

pub(super) async fn issue_password(
    coordinator: &Coordinator,
    request: proto::IssuePasswordRequest,
) -> Result<proto::IssuePasswordResponse, Status> {
    let issued = coordinator.password_issue(&person_name(&request.name)?).await;
    let password = issued.map_err(|error| status_of(&error))?.as_str().to_owned();
    Ok(proto::IssuePasswordResponse { password })
}

pub(super) async fn change_password(
    coordinator: &Coordinator,
    caller: &PersonRow,
    request: proto::ChangePasswordRequest,
) -> Result<proto::ChangePasswordResponse, Status> {
    let (old, new) = (Password::typed(request.old_password), Password::typed(request.new_password));
    let changed = coordinator.password_change(&caller.name, &old, new).await;
    changed.map_err(|error| status_of(&error))?;
    Ok(proto::ChangePasswordResponse {})
}

pub(super) async fn sign_report(
    coordinator: &Coordinator,
    caller: &PersonRow,
    request: proto::SignReportRequest,
) -> Result<proto::SignReportResponse, Status> {
    let signature = request.signature.unwrap_or_default();
    let endorsement =
        fedval_wire::endorsement_from_wire(&signature).map_err(|error| status_of(&error))?;
    let password = Password::typed(request.password);
    let signed = coordinator.report_sign(caller, request.statement, endorsement, &password).await;
    signed.map_err(|error| status_of(&error))?;
    Ok(proto::SignReportResponse {})
}

/// A link to one study, where pages are served at `pages`.
pub(super) async fn share_study(
    coordinator: &Coordinator,
    pages: Option<&str>,
    request: &proto::ShareStudyRequest,
) -> Result<proto::ShareStudyResponse, Status> {
    let pages = pages.ok_or_else(|| status_of(&NoPages))?;
    let study = fedval_wire::id("study", &request.study).map_err(|error| status_of(&error))?;
    let shared = coordinator.study_share(&study, request.days).await;
    let (secret, until) = shared.map_err(|error| status_of(&error))?;
    Ok(proto::ShareStudyResponse {
        url: format!("{pages}/read/{}", secret.as_str()),
        expires_at_ms: until.unix_millis(),
    })
}

pub(super) async fn unshare_study(
    coordinator: &Coordinator,
    request: &proto::UnshareStudyRequest,
) -> Result<proto::UnshareStudyResponse, Status> {
    let study = fedval_wire::id("study", &request.study).map_err(|error| status_of(&error))?;
    let ended = coordinator.study_unshare(&study).await.map_err(|error| status_of(&error))?;
    Ok(proto::UnshareStudyResponse { ended })
}
