//! Refusals as the other side sees them: a stable code, one sentence, one remedy.
//!
//! The one table from problem codes to gRPC status codes.

use fedval_ambient::Problem;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// Names this product in `google.rpc.ErrorInfo`, so that a code is unambiguous.
const DOMAIN: &str = "fedval";

fn grpc_code(code: &str) -> Code {
    match code {
        "STUDY_NOT_FOUND" | "ROUND_NOT_FOUND" | "ARTIFACT_NOT_FOUND" | "SITE_NOT_FOUND"
        | "PERSON_NOT_FOUND" => Code::NotFound,
        "CONFLICT" | "PERSON_KEY_TAKEN" | "SIGNED_BEFORE" => Code::AlreadyExists,
        "TOKEN_REFUSED"
        | "INVITATION_LOCKED"
        | "WRONG_SITE"
        | "RESULT_SIGNATURE"
        | "SPONSOR_SIGNATURE"
        | "ROLE_NOT_ALLOWED"
        | "PASSWORD_WRONG"
        | "PASSWORD_ISSUED"
        | "PASSWORD_TRIES"
        | "SIGNATURE_NOT_YOURS"
        | "SIGNATURE_INVALID" => Code::PermissionDenied,
        "NOT_ENROLLED" => Code::Unauthenticated,
        "DRAFT_CHANGED" | "STALE_LEASE" | "AGENT_ALREADY_CONNECTED" => Code::Aborted,
        "TOO_MANY_TRIES" | "TOO_MANY_CALLS" | "MODEL_TOO_LARGE" | "MESSAGE_TOO_LARGE" => {
            Code::ResourceExhausted
        }
        "CALL_TIMED_OUT" => Code::DeadlineExceeded,
        "STORE_UNAVAILABLE" | "ARTIFACTS_UNAVAILABLE" => Code::Unavailable,
        "STORE_DAMAGED" => Code::DataLoss,
        "CSR_INVALID"
        | "STUDY_INVALID"
        | "MESSAGE_INVALID"
        | "RESULT_CONTRADICTION"
        | "RESULT_OUT_OF_RANGE"
        | "INVITATION_LIFE"
        | "LINK_LIFE"
        | "PASSWORD_NOT_ALLOWED"
        | "SIGNATURE_MALFORMED" => Code::InvalidArgument,
        _ => Code::FailedPrecondition,
    }
}

/// What a caller is told: the problem's own sentence, never a source's.
pub(super) fn status_of(problem: &dyn Told) -> Status {
    let (code, message, remedy) = problem.told();
    let status = grpc_code(code);
    if matches!(status, Code::Unavailable | Code::DataLoss) {
        tracing::error!(code, error = problem.chain(), "call failed");
    } else {
        tracing::warn!(code, "call refused");
    }
    let mut details = ErrorDetails::with_error_info(code, DOMAIN, []);
    if let Some(remedy) = remedy {
        details.add_help_link(remedy, "");
    }
    Status::with_error_details(status, message, details)
}

/// What can be told to a caller about an error, and what only the log may hold.
pub(super) trait Told {
    fn told(&self) -> (&'static str, String, Option<String>);
    fn chain(&self) -> String;
}

impl<P: Problem> Told for P {
    fn told(&self) -> (&'static str, String, Option<String>) {
        (self.code(), self.to_string(), self.remedy())
    }

    fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }
}

/// No certificate, a foreign one, and a revoked one look alike.
pub(super) fn unauthenticated() -> Status {
    let mut details = ErrorDetails::with_error_info("NOT_ENROLLED", DOMAIN, []);
    details.add_help_link("ask the coordinator's operator for `fedval site invite`", "");
    Status::with_error_details(
        Code::Unauthenticated,
        "this call needs the certificate of an enrolled party",
        details,
    )
}
