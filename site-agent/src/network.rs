//! The `[coordinator]` table of `agent.toml`: where the coordinator is, and the proxy on the way.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fedval_ambient::{Exit, Failure};
use fedval_egress::{Coordinator, Proxy, ProxyCredentials, ProxyError};
use serde::Deserialize;

/// Where systems keep the authorities they trust: Debian and Alpine, Red Hat, SUSE.
const SYSTEM_AUTHORITIES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];
/// More is no line with a user and a password.
const MOST_CREDENTIAL_BYTES: u64 = 4096;

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
            proxy = proxy.trusting(&self.authorities()?)?;
        }
        Ok(coordinator.with_proxy(proxy))
    }

    fn authorities(&self) -> Result<Vec<u8>, Failure> {
        if let Some(file) = &self.proxy_ca {
            let bytes = std::fs::read(absolute(file)?);
            return bytes.map_err(|error| Failure::disk("read", file, &error));
        }
        let found = SYSTEM_AUTHORITIES.into_iter().find_map(|file| std::fs::read(file).ok());
        Ok(found.ok_or(ProxyError::BadAuthority)?)
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
        let line = |line: &str| {
            let key = line.trim_start_matches("# ").split(" = ").next();
            let value = values.iter().find(|(name, _)| key == Some(*name));
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
    let disk = |error| Failure::disk("read", file, &error);
    let opened = File::open(absolute(file)?).map_err(disk)?;
    let mode = opened.metadata().map_err(disk)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Failure::new(
            Exit::Usage,
            "PROXY_CREDENTIALS_OPEN",
            format!("{} may be read by others than its owner", file.display()),
            &format!("chmod 600 {}", file.display()),
        ));
    }
    let mut text = String::new();
    // What is not text is told like any other wrong content: the library's error is about bytes.
    if opened.take(MOST_CREDENTIAL_BYTES).read_to_string(&mut text).is_err() {
        return Err(ProxyError::BadCredentials.into());
    }
    Ok(ProxyCredentials::parse(&text)?)
}

/// A service does not start in the folder that a person had in mind.
fn absolute(path: &Path) -> Result<&Path, Failure> {
    if path.is_absolute() { Ok(path) } else { Err(invalid("a path of [coordinator] is relative")) }
}

fn invalid(message: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        "CONFIG_INVALID",
        message,
        "correct the file; deploy/config/agent.toml documents every key",
    )
}

#[cfg(test)]
mod tests {
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
