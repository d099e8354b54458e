//! The keys of a bucket, from a file as the makers of such stores write it.

use std::fmt;

/// Who we are to the object store.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
    pub(super) session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

impl Credentials {
    /// Reads `aws_access_key_id = …` and `aws_secret_access_key = …`, one a line; of several
    /// profiles, the first. Nothing where one of the two is missing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut found = Self::default();
        let mut profiles = 0;
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                profiles += 1;
            }
            if profiles > 1 {
                break;
            }
            let Some((name, value)) = line.split_once('=') else { continue };
            let value = value.trim().to_owned();
            match name.trim() {
                "aws_access_key_id" => found.access_key_id = value,
                "aws_secret_access_key" => found.secret_access_key = value,
                "aws_session_token" => found.session_token = Some(value),
                _ => {}
            }
        }
        let whole = !found.access_key_id.is_empty() && !found.secret_access_key.is_empty();
        whole.then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_profile_is_read_and_never_shown() {
        let text = "# ours\n[default]\naws_access_key_id = ID\naws_secret_access_key=a/b+c=\n\
                    [other]\naws_access_key_id = OTHER\naws_session_token = T\n";
        let found = Credentials::parse(text).unwrap();
        assert_eq!(found.access_key_id, "ID");
        assert_eq!(found.secret_access_key, "a/b+c=");
        assert_eq!(found.session_token, None);
        assert_eq!(format!("{found:?}"), "Credentials(..)");
    }

    #[test]
    fn half_a_pair_is_nothing() {
        assert_eq!(Credentials::parse(""), None);
        assert_eq!(Credentials::parse("aws_access_key_id = ID\naws_secret_access_key ="), None);
    }
}
