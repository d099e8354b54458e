//! The `[coordinator]` table of `agent.toml`: where the coordinator is, and the proxy on the way.

use std::fmt;
use std::path::{Path, PathBuf};

use fedval_ambient::Failure;
use fedval_egress::{Coordinator, Proxy, ProxyCredentials, ProxyError};
use serde::Deserialize;

use crate::secret_file::{authorities, invalid, read_secret};

/// The way to the coordinator.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CoordinatorConfig {
    /// Such as https://fedval.example.org:443.
    pub(crate) url: String,
    /// Such as http://proxy.example.org:3128. Default: none.
    pub(crate) proxy: Option<String>,
    /// File with user:password for the proxy. Default: none.
    pub(crate) proxy_credentials: Option<PathBuf>,
    /// File with the authority that certified a https:// proxy. Default: the system's.
    pub(crate) proxy_ca: Option<PathBuf>,
}

impl fmt::Debug for CoordinatorConfig {
    /// Without the proxy's address, in which somebody may have written a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoordinatorConfig").field("url", &self.url).finish_non_exhaustive()
    }
}

impl CoordinatorConfig {
    /// A coordinator without a proxy.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), proxy: None, proxy_credentials: None, proxy_ca: None }
    }

    /// The coordinator as everything here dials it. Reads the files that the table names.
    pub(crate) fn dialer(&self) -> Result<Coordinator, Failure> {
        let coordinator = Coordinator::at(&self.url)?;
        let Some(url) = &self.proxy else {
            return match (&self.proxy_credentials, &self.proxy_ca) {
                (None, None) => Ok(coordinator),
                _ => Err(invalid("proxy_credentials and proxy_ca need a proxy")),
            };
        };
        let mut proxy = Proxy::at(url)?;
        if let Some(file) = &self.proxy_credentials {
            proxy = proxy.with_credentials(credentials(file)?);
        }
        if proxy.is_tls() {
            let trusted = authorities(self.proxy_ca.as_deref())?.ok_or(ProxyError::BadAuthority)?;
            proxy = proxy.trusting(&trusted)?;
        }
        Ok(coordinator.with_proxy(proxy))
    }

    /// The documented configuration with this way to the coordinator.
    pub(crate) fn written_into(&self, template: &str) -> String {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let values = [
            ("url", Some(self.url.clone())),
            ("proxy", self.proxy.clone()),
            ("proxy_credentials", path(&self.proxy_credentials)),
            ("proxy_ca", path(&self.proxy_ca)),
        ];
        // Other tables have keys of the same name.
        let mut is_own = false;
        let line = |line: &str| {
            if line.starts_with('[') {
                is_own = line == "[coordinator]";
            }
            let key = line.trim_start_matches("# ").split(" = ").next();
            let value = values.iter().find(|(name, _)| is_own && key == Some(*name));
            match value {
                Some((name, Some(value))) => {
                    format!("{name} = {}\n", toml::Value::from(value.as_str()))
                }
                _ => format!("{line}\n"),
            }
        };
        template.lines().map(line).collect()
    }
}

/// Reads user and password. Neither is ever quoted.
fn credentials(file: &Path) -> Result<ProxyCredentials, Failure> {
    let text = read_secret(file, "PROXY_CREDENTIALS_OPEN")?.ok_or(ProxyError::BadCredentials)?;
    Ok(ProxyCredentials::parse(&text)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::{Config, TEMPLATE};

    fn with_a_proxy() -> CoordinatorConfig {
        CoordinatorConfig {
            proxy: Some("http://proxy.test:3128".to_owned()),
            ..CoordinatorConfig::at("https://fedval.test:8443")
        }
    }

    #[test]
    fn what_enrolment_writes_is_read_as_it_was_given() {
        let given = CoordinatorConfig {
            proxy_credentials: Some("/etc/\"odd\" folder\\proxy".into()),
            proxy_ca: Some("/etc/ca.pem".into()),
            ..with_a_proxy()
        };
        for given in [given, with_a_proxy(), CoordinatorConfig::at("https://fedval.test")] {
            let text = given.written_into(TEMPLATE);
            let read: Config = toml::from_str(&text).unwrap();
            assert_eq!(read.coordinator, given);
            assert_eq!(text.lines().count(), TEMPLATE.lines().count());
        }
    }

    #[test]
    fn settings_of_a_proxy_that_cannot_work_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("proxy");
        let write = |text: &[u8], mode| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let config = CoordinatorConfig { proxy_credentials: Some(file.clone()), ..with_a_proxy() };
        let code = |config: &CoordinatorConfig| {
            let failure = config.dialer().unwrap_err();
            assert!(!format!("{failure:?} {config:?}").contains("hunter2"));
            failure.code
        };
        assert_eq!(code(&config), "DISK");
        write(b"dr-no:hunter2\n", 0o640);
        assert_eq!(code(&config), "PROXY_CREDENTIALS_OPEN");
        write(b"hunter2", 0o600);
        assert_eq!(code(&config), "PROXY_CREDENTIALS_INVALID");
        write(b"dr-no:hunter2\xff", 0o600);
        assert_eq!(code(&config), "PROXY_CREDENTIALS_INVALID");
        write(b"dr-no:hunter2\n", 0o400);
        assert!(config.dialer().is_ok());
        let alone = CoordinatorConfig { proxy: None, ..config.clone() };
        assert_eq!(code(&alone), "CONFIG_INVALID");
        let relative =
            CoordinatorConfig { proxy_credentials: Some("proxy".into()), ..config.clone() };
        assert_eq!(code(&relative), "CONFIG_INVALID");
        let secret = Some("http://dr-no:hunter2@proxy.test:3128".to_owned());
        assert_eq!(
            code(&CoordinatorConfig { proxy: secret, ..config.clone() }),
            "PROXY_SECRET_IN_ADDRESS"
        );
        let tls = Some("https://proxy.test:3128".to_owned());
        let tls = CoordinatorConfig { proxy: tls, proxy_ca: Some(file.clone()), ..config };
        assert_eq!(code(&tls), "PROXY_CA_INVALID");
    }
}
