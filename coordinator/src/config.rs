//! `fedval.toml`. `deploy/config/fedval.toml` documents every key and is what `fedval init` writes.

use std::net::SocketAddr;
use std::path::PathBuf;

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
    /// Connections at once. Default: 4096.
    #[serde(default = "max_connections")]
    pub(crate) max_connections: u32,
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
