//! A value that must stay on site.

use std::fmt;

/// A value that must not leave the site, be logged, or appear in an error message.
///
/// It has no `Deref`, no `Display` and no `Serialize`; `Debug` shows only the type, so that an
/// accidental `tracing::debug!(?cohort)` discloses nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SiteLocal<T>(T);

impl<T> SiteLocal<T> {
    /// Confines `value` to this site.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Transforms the value without letting it out.
    pub fn map<U>(self, transform: impl FnOnce(T) -> U) -> SiteLocal<U> {
        SiteLocal(transform(self.0))
    }

    /// The value, for code that computes on it or writes it to this site's own disk and screen.
    ///
    /// A test of the workspace lists the files that may call this.
    pub const fn open_on_site(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for SiteLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteLocal<{}>(..)", std::any::type_name::<T>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_type_and_nothing_of_the_value() {
        let shown = format!("{:?}", SiteLocal::new("ZZCANARY".to_owned()));
        assert!(shown.contains("String") && !shown.contains("ZZCANARY"), "{shown}");
    }
}
