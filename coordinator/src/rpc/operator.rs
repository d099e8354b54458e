//! `fedval.v1.OperatorService`: what people who run the coordinator do.

use axum::body::Bytes;
use fedval_ambient::Problem;
use fedval_core::port::{LockedVersion, PersonRow, StoredArtifact};
use fedval_core::{Coordinator, DispatchError};
use fedval_proto as proto;
use fedval_proto::create_study_request::Part;
use fedval_proto::operator_service_server::OperatorService;
use fedval_study::{PersonRole, Sha256Digest, SiteId, StudyId};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use super::access::Call;
use super::problem::status_of;
use super::status::{progress_to_wire, site_to_wire, study_state};
use super::{Changes, caller, person};
use crate::package::Shared;

/// Bytes of a report's file in one message.
const CHUNK_BYTES: usize = 256 * 1024;

/// Largest model that is taken.
const MAX_MODEL_BYTES: u64 = 4 << 30;

/// A model is larger than any site would fetch.
#[derive(Debug, thiserror::Error)]
#[error("the model is larger than 4 GiB")]
struct ModelTooLarge;

impl Problem for ModelTooLarge {
    fn code(&self) -> &'static str {
        "MODEL_TOO_LARGE"
    }

    fn remedy(&self) -> Option<String> {
        Some("export it with smaller weights, such as 16-bit floats".to_owned())
    }
}

/// A site that is revoked does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no site `{site}`")]
struct SiteNotFound {
    site: SiteId,
}

impl Problem for SiteNotFound {
    fn code(&self) -> &'static str {
        "SITE_NOT_FOUND"
    }

    fn remedy(&self) -> Option<String> {
        Some("run `fedval site list` to see the sites".to_owned())
    }
}

/// The caller's role does not go so far.
#[derive(Debug, thiserror::Error)]
#[error("a {role} may not do this")]
struct NotAllowed {
    role: PersonRole,
}

impl Problem for NotAllowed {
    fn code(&self) -> &'static str {
        "ROLE_NOT_ALLOWED"
    }

    fn remedy(&self) -> Option<String> {
        Some("ask an operator to do it, or for another role".to_owned())
    }
}

/// Serves people.
#[derive(Debug)]
pub(super) struct OperatorRpc {
    coordinator: Coordinator,
    changes: Changes,
    /// Where pages are served, if they are.
    pages: Option<String>,
}

impl OperatorRpc {
    pub(super) const fn new(
        coordinator: Coordinator,
        changes: Changes,
        pages: Option<String>,
    ) -> Self {
        Self { coordinator, changes, pages }
    }

    /// Takes the message out once the caller is known, and known to be one who may make this call.
    async fn authorised<T>(&self, call: Call, request: Request<T>) -> Result<T, Status> {
        self.known(call, request).await.map(|(_, message)| message)
    }

    /// The same, with who calls.
    async fn known<T>(&self, call: Call, request: Request<T>) -> Result<(PersonRow, T), Status> {
        let person = caller::person(&self.coordinator, &request).await?;
        if !call.allowed().contains(&person.role) {
            tracing::warn!(code = "ROLE_NOT_ALLOWED", name = %person.name, ?call, "call refused");
            return Err(status_of(&NotAllowed { role: person.role }));
        }
        Ok((person, request.into_inner()))
    }
}

fn study_id(text: &str) -> Result<StudyId, Status> {
    fedval_wire::id("study", text).map_err(|error| status_of(&error))
}

fn site_id(text: &str) -> Result<SiteId, Status> {
    fedval_wire::id("site", text).map_err(|error| status_of(&error))
}

#[tonic::async_trait]
impl OperatorService for OperatorRpc {
    async fn invite_site(
        &self,
        request: Request<proto::InviteSiteRequest>,
    ) -> Result<Response<proto::InviteSiteResponse>, Status> {
        let request = self.authorised(Call::InviteSite, request).await?;
        let site = site_id(&request.site)?;
        let invitation = self.coordinator.site_invite(&site, request.valid_hours).await;
        let invitation = invitation.map_err(|error| status_of(&error))?;
        Ok(Response::new(proto::InviteSiteResponse {
            token: invitation.token.secret().to_vec(),
            expires_at_ms: invitation.expires_at.unix_millis(),
            invitation: invitation.token.id().as_bytes().to_vec(),
        }))
    }

    async fn list_sites(
        &self,
        request: Request<proto::ListSitesRequest>,
    ) -> Result<Response<proto::ListSitesResponse>, Status> {
        self.authorised(Call::ListSites, request).await?;
        let sites = self.coordinator.store().site_list().await.map_err(|e| status_of(&e))?;
        let sites = sites.iter().map(site_to_wire).collect();
        Ok(Response::new(proto::ListSitesResponse { sites }))
    }

    async fn admit_person(
        &self,
        request: Request<proto::AdmitPersonRequest>,
    ) -> Result<Response<proto::AdmitPersonResponse>, Status> {
        let request = self.authorised(Call::AdmitPerson, request).await?;
        person::admit(&self.coordinator, request).await.map(Response::new)
    }

    async fn dismiss_person(
        &self,
        request: Request<proto::DismissPersonRequest>,
    ) -> Result<Response<proto::DismissPersonResponse>, Status> {
        let request = self.authorised(Call::DismissPerson, request).await?;
        person::dismiss(&self.coordinator, request).await.map(Response::new)
    }

    async fn list_people(
        &self,
        request: Request<proto::ListPeopleRequest>,
    ) -> Result<Response<proto::ListPeopleResponse>, Status> {
        self.authorised(Call::ListPeople, request).await?;
        person::list(&self.coordinator).await.map(Response::new)
    }

    async fn issue_password(
        &self,
        request: Request<proto::IssuePasswordRequest>,
    ) -> Result<Response<proto::IssuePasswordResponse>, Status> {
        let request = self.authorised(Call::IssuePassword, request).await?;
        person::issue_password(&self.coordinator, request).await.map(Response::new)
    }

    async fn change_password(
        &self,
        request: Request<proto::ChangePasswordRequest>,
    ) -> Result<Response<proto::ChangePasswordResponse>, Status> {
        let (caller, request) = self.known(Call::ChangePassword, request).await?;
        person::change_password(&self.coordinator, &caller, request).await.map(Response::new)
    }

    async fn sign_report(
        &self,
        request: Request<proto::SignReportRequest>,
    ) -> Result<Response<proto::SignReportResponse>, Status> {
        let (caller, request) = self.known(Call::SignReport, request).await?;
        person::sign_report(&self.coordinator, &caller, request).await.map(Response::new)
    }

    async fn share_study(
        &self,
        request: Request<proto::ShareStudyRequest>,
    ) -> Result<Response<proto::ShareStudyResponse>, Status> {
        let request = self.authorised(Call::ShareStudy, request).await?;
        let pages = self.pages.as_deref();
        person::share_study(&self.coordinator, pages, &request).await.map(Response::new)
    }

    async fn unshare_study(
        &self,
        request: Request<proto::UnshareStudyRequest>,
    ) -> Result<Response<proto::UnshareStudyResponse>, Status> {
        let request = self.authorised(Call::UnshareStudy, request).await?;
        person::unshare_study(&self.coordinator, &request).await.map(Response::new)
    }

    async fn revoke_site(
        &self,
        request: Request<proto::RevokeSiteRequest>,
    ) -> Result<Response<proto::RevokeSiteResponse>, Status> {
        let request = self.authorised(Call::RevokeSite, request).await?;
        let site = site_id(&request.site)?;
        let known = self.coordinator.site_revoke(&site).await.map_err(|e| status_of(&e))?;
        if !known {
            return Err(status_of(&SiteNotFound { site }));
        }
        self.changes.look();
        Ok(Response::new(proto::RevokeSiteResponse {}))
    }

    async fn create_study(
        &self,
        request: Request<Streaming<proto::CreateStudyRequest>>,
    ) -> Result<Response<proto::CreateStudyResponse>, Status> {
        let mut parts = self.authorised(Call::CreateStudy, request).await?;
        let first = parts.message().await?.and_then(|message| message.part);
        let Some(Part::Protocol(protocol)) = first else {
            return Err(Status::invalid_argument("the protocol comes first"));
        };
        let model = self.receive_model(&mut parts).await?;
        let locked = self.coordinator.study_create(&protocol, model).await;
        let locked = locked.map_err(|error| status_of(&error))?;
        Ok(Response::new(proto::CreateStudyResponse {
            study: locked.protocol().id.to_string(),
            protocol_digest: locked.digest().0.as_bytes().to_vec(),
        }))
    }

    async fn fetch_protocol(
        &self,
        request: Request<proto::FetchProtocolRequest>,
    ) -> Result<Response<proto::FetchProtocolResponse>, Status> {
        let request = self.authorised(Call::FetchProtocol, request).await?;
        let study = study_id(&request.study)?;
        let progress = self.coordinator.study_progress(&study).await;
        let row = progress.map_err(|error| status_of(&error))?.row;
        let protocol = match (request.in_force, row.in_force()) {
            (true, Some(locked)) => locked.protocol.clone(),
            (true, None) => return Err(status_of(&DispatchError::NotLocked { study })),
            (false, _) => row.newest().to_vec(),
        };
        Ok(Response::new(proto::FetchProtocolResponse { protocol }))
    }

    async fn lock_study(
        &self,
        request: Request<proto::LockStudyRequest>,
    ) -> Result<Response<proto::LockStudyResponse>, Status> {
        let request = self.authorised(Call::LockStudy, request).await?;
        let study = study_id(&request.study)?;
        let digest = fedval_wire::digest("protocol_digest", &request.protocol_digest)
            .map_err(|error| status_of(&error))?;
        let sponsor = fedval_wire::endorsement_from_wire(&request.sponsor.unwrap_or_default())
            .map_err(|error| status_of(&error))?;
        let locked = self.coordinator.study_lock(&study, digest, sponsor).await;
        let locked = locked.map_err(|error| status_of(&error))?;
        Ok(Response::new(proto::LockStudyResponse {
            protocol_digest: locked.digest().0.as_bytes().to_vec(),
            model_digest: locked.protocol().model.digest.0.as_bytes().to_vec(),
        }))
    }

    async fn dispatch_study(
        &self,
        request: Request<proto::DispatchStudyRequest>,
    ) -> Result<Response<proto::DispatchStudyResponse>, Status> {
        let request = self.authorised(Call::DispatchStudy, request).await?;
        let study = study_id(&request.study)?;
        let sites: Vec<SiteId> =
            request.sites.iter().map(|site| site_id(site)).collect::<Result<_, _>>()?;
        let (round, sites) = self
            .coordinator
            .study_dispatch(&study, &sites, request.deadline_hours)
            .await
            .map_err(|error| status_of(&error))?;
        self.changes.look();
        Ok(Response::new(proto::DispatchStudyResponse {
            round: round.to_string(),
            sites: sites.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn study_status(
        &self,
        request: Request<proto::StudyStatusRequest>,
    ) -> Result<Response<proto::StudyStatusResponse>, Status> {
        let study = study_id(&self.authorised(Call::StudyStatus, request).await?.study)?;
        let progress = self.coordinator.study_progress(&study).await;
        let progress = progress.map_err(|error| status_of(&error))?;
        Ok(Response::new(progress_to_wire(&progress)))
    }

    async fn close_study(
        &self,
        request: Request<proto::CloseStudyRequest>,
    ) -> Result<Response<proto::CloseStudyResponse>, Status> {
        let study = study_id(&self.authorised(Call::CloseStudy, request).await?.study)?;
        let closed = self.coordinator.study_close(&study).await.map_err(|e| status_of(&e))?;
        self.changes.look();
        Ok(Response::new(proto::CloseStudyResponse {
            round: closed.round.to_string(),
            missing: closed.missing.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn list_studies(
        &self,
        request: Request<proto::ListStudiesRequest>,
    ) -> Result<Response<proto::ListStudiesResponse>, Status> {
        self.authorised(Call::ListStudies, request).await?;
        let store = self.coordinator.store();
        let mut studies = Vec::new();
        for row in store.study_list().await.map_err(|error| status_of(&error))? {
            let rounds = store.round_list(&row.study).await.map_err(|error| status_of(&error))?;
            let digest = row.in_force().map(LockedVersion::digest);
            let digest = digest.map_or_else(|| Sha256Digest::of(row.newest()), |digest| digest.0);
            studies.push(proto::StudyEntry {
                study: row.study.to_string(),
                state: study_state(&row, &rounds).into(),
                protocol_digest: digest.as_bytes().to_vec(),
            });
        }
        Ok(Response::new(proto::ListStudiesResponse { studies }))
    }

    type BuildReportStream =
        std::pin::Pin<Box<dyn Stream<Item = Result<proto::PackageChunk, Status>> + Send>>;

    async fn build_report(
        &self,
        request: Request<proto::BuildReportRequest>,
    ) -> Result<Response<Self::BuildReportStream>, Status> {
        let study = study_id(&self.authorised(Call::BuildReport, request).await?.study)?;
        let package =
            self.coordinator.report_build(&study).await.map_err(|error| status_of(&error))?;
        // Piece by piece as they are sent: a large package is not held twice.
        let package = Shared::from(package);
        let chunks = package.paths().into_iter().flat_map(move |path| {
            let pieces = package.pieces(&path).into_iter().flat_map(cut);
            pieces.map(move |data| Ok(proto::PackageChunk { path: path.clone(), data }))
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(chunks))))
    }
}

/// Bytes in chunks; an empty file is one of no bytes.
fn cut(bytes: Bytes) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len().max(1)).step_by(CHUNK_BYTES).map(move |from| {
        let to = bytes.len().min(from + CHUNK_BYTES);
        bytes[from..to].to_vec()
    })
}

impl OperatorRpc {
    async fn receive_model(
        &self,
        parts: &mut Streaming<proto::CreateStudyRequest>,
    ) -> Result<StoredArtifact, Status> {
        let begun = self.coordinator.artifacts().artifact_begin().await;
        let mut upload = begun.map_err(|error| status_of(&error))?;
        let mut bytes = 0;
        while let Some(message) = parts.message().await? {
            let Some(Part::ModelChunk(chunk)) = message.part else {
                return Err(Status::invalid_argument("after the protocol comes the model"));
            };
            bytes += chunk.len() as u64;
            if bytes > MAX_MODEL_BYTES {
                return Err(status_of(&ModelTooLarge));
            }
            upload.write(chunk).await.map_err(|error| status_of(&error))?;
        }
        upload.finish().await.map_err(|error| status_of(&error))
    }
}
