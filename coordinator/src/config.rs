//! `fedval.toml`. `deploy/config/fedval.toml` documents every key and is what `fedval init` writes.

use std::net::SocketAddr;
use std::path::PathBuf;

use fedval_ambient::{Exit, Failure};
use serde::Deserialize;

/// The documented example, which is also every coordinator's first configuration.
pub(crate) const TEMPLATE: &str = include_str!("../../deploy/config/fedval.toml");
/// The address in the example that the server listens on; replaced by `fedval init`.
pub(crate) const TEMPLATE_LISTEN: &str = "127.0.0.1:7443";
/// The address in the example under which it is reached; replaced by `fedval init`.
pub(crate) const TEMPLATE_URL: &str = "https://localhost:7443";

const MAX_CONNECTIONS: u32 = 4096;

/// The coordinator's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Address and port the server listens on.
    pub(crate) listen: SocketAddr,
    /// Where operator commands and sites reach the server, such as https://fedval.example.org:7443.
    pub(crate) url: String,
    /// `postgres://USER@HOST/NAME`. Default: an SQLite file in the coordinator's folder.
    pub(crate) store: Option<String>,
    /// File whose first line is the store's password.
    pub(crate) store_password_file: Option<PathBuf>,
    /// `s3://BUCKET/PREFIX`. Default: the folder `artifacts` in the coordinator's folder.
    pub(crate) artifacts: Option<String>,
    /// Address of an object store that is not Amazon's.
    pub(crate) artifacts_endpoint: Option<String>,
    /// The bucket's region.
    pub(crate) artifacts_region: Option<String>,
    /// File with the object store's two keys.
    pub(crate) artifacts_credentials_file: Option<PathBuf>,
    /// Whether the object store may be spoken to without TLS: only inside one machine. Default: no.
    #[serde(default)]
    pub(crate) artifacts_allow_http: bool,
    /// Loopback address of the metrics page. Default: none.
    pub(crate) metrics: Option<SocketAddr>,
    /// Address and port where browsers read pages. Default: no pages.
    pub(crate) pages: Option<SocketAddr>,
    /// How people's browsers reach the pages. Default: https:// and the address.
    pub(crate) pages_url: Option<String>,
    /// File with the certificate chain of the pages. Default: one of the server's own, which browsers ask about.
    pub(crate) pages_certificate_file: Option<PathBuf>,
    /// File with its key.
    pub(crate) pages_key_file: Option<PathBuf>,
    /// Connections at once. Default: 4096.
    #[serde(default = "max_connections")]
    pub(crate) max_connections: u32,
}

/// Where and how pages are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PagesConfig {
    pub(crate) listen: SocketAddr,
    /// Without a `/` at its end.
    pub(crate) url: String,
    /// Files of key and chain.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
}

impl PagesConfig {
    /// The name or address by which browsers reach them.
    pub(crate) fn host(&self) -> &str {
        let rest = self.url.strip_prefix("https://").unwrap_or(&self.url);
        match rest.strip_prefix('[') {
            Some(address) => address.split(']').next().unwrap_or(address),
            None => rest.split([':', '/']).next().unwrap_or(rest),
        }
    }
}

impl Config {
    /// Where pages are served, if they are.
    pub(crate) fn pages(&self) -> Result<Option<PagesConfig>, Failure> {
        let invalid = |what: &str| {
            Failure::new(
                Exit::Usage,
                "CONFIG_INVALID",
                what.to_owned(),
                "correct the file; deploy/config/fedval.toml documents every key",
            )
        };
        let Some(listen) = self.pages else { return Ok(None) };
        if listen.ip().is_unspecified() && self.pages_url.is_none() {
            return Err(invalid(
                "`pages` on every address needs `pages_url`: nobody's browser goes to 0.0.0.0",
            ));
        }
        let url = self.pages_url.clone().unwrap_or_else(|| format!("https://{listen}"));
        let url = url.trim_end_matches('/').to_owned();
        if !url.starts_with("https://") {
            return Err(invalid("`pages_url` does not begin with https://"));
        }
        let certificate = match (&self.pages_key_file, &self.pages_certificate_file) {
            (Some(key), Some(chain)) => Some((key.clone(), chain.clone())),
            (None, None) => None,
            _ => return Err(invalid("`pages_certificate_file` and `pages_key_file` go together")),
        };
        Ok(Some(PagesConfig { listen, url, certificate }))
    }
}

const fn max_connections() -> u32 {
    MAX_CONNECTIONS
}

/// The documented example with the addresses of a new coordinator.
pub(crate) fn first(listen: SocketAddr, url: &str) -> String {
    TEMPLATE.replacen(TEMPLATE_LISTEN, &listen.to_string(), 1).replacen(TEMPLATE_URL, url, 1)
}

/// The configuration of a person who runs no server: where the coordinator is reached.
pub(crate) fn of_person(url: &str) -> String {
    let away = SocketAddr::from(([127, 0, 0, 1], 0));
    format!(
        "# Where the coordinator is reached. Nothing listens here.\nlisten = \"{away}\"\nurl = \"{url}\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_is_read_and_leaves_every_default() {
        let config: Config = toml::from_str(TEMPLATE).unwrap();
        let minimal = format!("listen = \"{TEMPLATE_LISTEN}\"\nurl = \"{TEMPLATE_URL}\"\n");
        assert_eq!(config, toml::from_str(&minimal).unwrap());
    }

    #[test]
    fn every_key_stands_in_the_example_and_works_when_it_is_switched_on() {
        let switch_on = |line: &str| match line.strip_prefix("# ") {
            Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| is_key(key)) => {
                rest.to_owned()
            }
            _ => line.to_owned(),
        };
        let text: Vec<String> = TEMPLATE.lines().map(switch_on).collect();
        let config: Config = toml::from_str(&text.join("\n")).unwrap();
        assert_eq!(config.max_connections, MAX_CONNECTIONS);
        assert!(config.metrics.is_some_and(|address| address.ip().is_loopback()));
        assert!(config.store.is_some() && config.store_password_file.is_some());
        assert!(config.artifacts.is_some() && config.artifacts_endpoint.is_some());
        assert!(config.artifacts_region.is_some() && config.artifacts_credentials_file.is_some());
        let pages = config.pages().unwrap().unwrap();
        assert!(pages.certificate.is_some());
        assert_eq!(pages.host(), "fedval.example.org");
    }

    #[test]
    fn pages_have_an_address_and_a_certificate_with_its_key_or_none() {
        let with =
            |more: &str| -> Config { toml::from_str(&format!("{TEMPLATE}\n{more}")).unwrap() };
        assert_eq!(with("").pages().unwrap(), None);
        let pages = with("pages = \"[::1]:8443\"").pages().unwrap().unwrap();
        assert_eq!((pages.url.as_str(), pages.host()), ("https://[::1]:8443", "::1"));
        for wrong in ["pages_url = \"http://x\"", "pages_key_file = \"x\""] {
            let config = with(&format!("pages = \"127.0.0.1:8443\"\n{wrong}"));
            assert_eq!(config.pages().unwrap_err().code, "CONFIG_INVALID", "{wrong}");
        }
    }

    fn is_key(text: &str) -> bool {
        text.chars().all(|character| character.is_ascii_lowercase() || character == '_')
    }

    #[test]
    fn a_new_coordinators_addresses_take_the_place_of_the_examples() {
        let text = first("192.0.2.1:443".parse().unwrap(), "https://fedval.example.org:443");
        let config: Config = toml::from_str(&text).unwrap();
        assert_eq!(config.listen.to_string(), "192.0.2.1:443");
        assert_eq!(config.url, "https://fedval.example.org:443");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = format!("{TEMPLATE}\nmetric = \"127.0.0.1:9463\"\n");
        assert!(toml::from_str::<Config>(&text).is_err());
    }
}
