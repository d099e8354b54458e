//! What the PACS is shown with every request.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::header::HeaderValue;

use super::PacsError;

/// A user with a password, or a token. It is sent to the PACS, and nowhere else.
#[derive(Clone)]
pub struct PacsLogin(HeaderValue);

impl PacsLogin {
    /// A line `user:password`; the password may hold colons.
    ///
    /// # Errors
    ///
    /// [`PacsError::BadLogin`] for anything else.
    pub fn basic(text: &str) -> Result<Self, PacsError> {
        let line = line(text)?;
        if line.find(':').is_none_or(|at| at == 0) {
            return Err(PacsError::BadLogin);
        }
        Self::header_of(format!("Basic {}", BASE64.encode(line)))
    }

    /// A line that holds a bearer token.
    ///
    /// # Errors
    ///
    /// [`PacsError::BadLogin`] for anything else.
    pub fn bearer(text: &str) -> Result<Self, PacsError> {
        let line = line(text)?;
        if line.is_empty() || !line.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PacsError::BadLogin);
        }
        Self::header_of(format!("Bearer {line}"))
    }

    fn header_of(text: String) -> Result<Self, PacsError> {
        let mut value = HeaderValue::try_from(text).map_err(|_| PacsError::BadLogin)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(super) const fn header(&self) -> &HeaderValue {
        &self.0
    }
}

/// The text without the break that editors put at its end.
fn line(text: &str) -> Result<&str, PacsError> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains(char::is_control) { Err(PacsError::BadLogin) } else { Ok(line) }
}

impl fmt::Debug for PacsLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PacsLogin(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_one_line_and_never_shown() {
        let login = PacsLogin::basic("fedval:a:b\r\n").unwrap();
        assert_eq!(login.header(), "Basic ZmVkdmFsOmE6Yg==");
        assert_eq!(PacsLogin::bearer("abc.def\n").unwrap().header(), "Bearer abc.def");
        assert!(!format!("{login:?} {:?}", login.header()).contains("ZmVkdmFs"));
        for bad in ["", "fedval", ":b", "a:b\nc", "a:b\r\nX-Other: 1"] {
            assert_eq!(PacsLogin::basic(bad).err(), Some(PacsError::BadLogin), "{bad:?}");
        }
        for bad in ["", "two words", "a\nb", "ä"] {
            assert_eq!(PacsLogin::bearer(bad).err(), Some(PacsError::BadLogin), "{bad:?}");
        }
    }
}
