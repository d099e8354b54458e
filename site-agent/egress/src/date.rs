//! What time it is at the coordinator.

use fedval_ambient::Timestamp;
use fedval_trust::{Certificate, SecretKey, tls};
use hyper::header::{CONTENT_TYPE, DATE};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tonic::codegen::http::{Method, Request};
use tower::ServiceExt as _;

use crate::answer::within;
use crate::{Coordinator, EgressError};

impl Coordinator {
    /// Dials with this site's certificate, and reads the time from the `date` of an answer, to the
    /// second. The call asks for nothing and changes nothing.
    ///
    /// # Errors
    ///
    /// [`EgressError::Dial`] if the coordinator is not reached; [`EgressError::BadAnswer`] if its
    /// answer has no date.
    pub async fn time(
        &self,
        root: &Certificate,
        certificate: &Certificate,
        key: &SecretKey,
    ) -> Result<Timestamp, EgressError> {
        let tls = tls::client_config(root, certificate, key).map_err(|_| EgressError::Tls)?;
        let channel = self.dial(tls).await?;
        let request = Request::builder()
            .method(Method::POST)
            .uri("/")
            .header(CONTENT_TYPE, "application/grpc")
            .body(tonic::body::Body::empty())
            .map_err(|_| EgressError::BadAnswer)?;
        let answer = channel.oneshot(request);
        let answer =
            within(async { answer.await.map_err(|e| tonic::Status::from_error(Box::new(e))) });
        let answer = answer.await?;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        date.and_then(read).ok_or(EgressError::BadAnswer)
    }
}

/// Reads a date of HTTP (RFC 9110, section 5.6.7), which is one of RFC 2822.
fn read(date: &str) -> Option<Timestamp> {
    let date = OffsetDateTime::parse(date, &Rfc2822).ok()?;
    Some(Timestamp::from_unix_millis(date.unix_timestamp() * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_http_is_read_to_the_second() {
        let read = |text| read(text).map(Timestamp::unix_millis);
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        assert_eq!(read("yesterday"), None);
    }
}
