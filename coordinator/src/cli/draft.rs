//! A study file with its model: read, checked, uploaded.

use std::path::Path;

use fedval_ambient::{Exit, Failure};
use fedval_proto as proto;
use fedval_proto::create_study_request::Part;
use fedval_study::draft::Draft;
use fedval_study::{LockedProtocol, Sha256Digest, StudyProtocol};

use crate::client::{connect, refusal};
use crate::home::Home;

/// Bytes of the model in one message.
const CHUNK_BYTES: usize = 256 * 1024;

/// The protocol that a file describes, and the bytes of its model.
pub(super) fn read(file: &Path) -> Result<(StudyProtocol, Vec<u8>), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let draft = Draft::parse(&text)?;
    let model_file = file.parent().unwrap_or(Path::new(".")).join(draft.model_file());
    let model = std::fs::read(&model_file).map_err(|error| unreadable(&model_file, &error))?;
    let protocol = draft.pin_model(Sha256Digest::of(&model), model.len() as u64)?;
    Ok((protocol, model))
}

/// The protocol as it would be signed.
pub(super) fn complete(protocol: StudyProtocol) -> Result<LockedProtocol, Failure> {
    LockedProtocol::new(protocol).map_err(|error| {
        Failure::new(Exit::Usage, "STUDY_INVALID", error.to_string(), "correct the study file")
    })
}

/// Stores a draft with its model at the coordinator.
pub(super) async fn upload(
    home: &Home,
    locked: &LockedProtocol,
    model: &[u8],
) -> Result<(), Failure> {
    let first = proto::CreateStudyRequest { part: Some(Part::Protocol(locked.bytes().to_vec())) };
    let chunks: Vec<_> = model
        .chunks(CHUNK_BYTES)
        .map(|chunk| proto::CreateStudyRequest { part: Some(Part::ModelChunk(chunk.to_vec())) })
        .collect();
    let parts = tokio_stream::iter(std::iter::once(first).chain(chunks));
    let mut client = connect(home).await?;
    client.create_study(parts).await.map_err(|status| refusal(&status))?;
    Ok(())
}

pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure {
        code: "FILE_UNREADABLE".to_owned(),
        exit: Exit::Usage,
        remedy: Some("give the path of an existing file".to_owned()),
        ..Failure::disk("read", file, error)
    }
}
