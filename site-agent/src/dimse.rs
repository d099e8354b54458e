//! The `[data_sources.dimse]` table of `agent.toml`: a PACS without web services in the place of a folder
//! of images.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use fedval_ambient::Failure;
use fedval_ingest::{DimseRetrieval, DimseSettings, InstanceKey, Pacs, PacsLimits};
use serde::Deserialize;

use crate::hours::Hours;
use crate::pacs::{
    FindBy, check_zone, identity, usual_answer_seconds, usual_parallel_requests,
    usual_requests_per_second,
};
use crate::secret_file::{authorities, invalid};

/// A PACS that speaks DIMSE.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DimseConfig {
    /// `HOST:PORT`.
    address: String,
    /// The PACS's title.
    called_ae: String,
    /// The agent's title.
    calling_ae: String,
    /// What the manifest's image column holds. Default: the image's own UID.
    #[serde(default)]
    find_by: FindBy,
    /// Default: every modality that has images.
    modality: Option<String>,
    /// Default: C-GET.
    #[serde(default)]
    retrieve: Retrieve,
    /// Where images arrive that C-MOVE has sent. Default: none, which C-GET does not need.
    listen: Option<SocketAddr>,
    /// The title by which the PACS knows that address. Default: the agent's title.
    move_destination: Option<String>,
    /// Default: what this system trusts.
    ca: Option<PathBuf>,
    /// The agent's own certificate. Default: none.
    certificate: Option<PathBuf>,
    /// Its key.
    key: Option<PathBuf>,
    /// Default: false.
    #[serde(default)]
    without_tls: bool,
    /// Default: at any time.
    pub(crate) hours: Option<Hours>,
    #[serde(default = "usual_requests_per_second")]
    requests_per_second: f64,
    #[serde(default = "usual_parallel_requests")]
    parallel_requests: usize,
    #[serde(default = "usual_answer_seconds")]
    answer_seconds: u64,
}

/// How an image comes.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Retrieve {
    #[default]
    Get,
    Move,
}

impl fmt::Debug for DimseConfig {
    /// Names the type only: addresses and titles do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DimseConfig(..)")
    }
}

impl DimseConfig {
    pub(crate) const fn instance_key(&self) -> InstanceKey {
        self.find_by.key()
    }

    /// The PACS, which nobody has asked yet. Reads the files that the table names.
    pub(crate) fn open(&self, max_instance_bytes: u64) -> Result<Pacs, Failure> {
        check_zone(self.hours)?;
        let is_named = self.ca.is_some() || self.certificate.is_some() || self.key.is_some();
        if self.without_tls && is_named {
            return Err(invalid(
                "without_tls = true leaves nothing to do for ca, certificate and key",
            ));
        }
        if matches!(self.retrieve, Retrieve::Move) && !self.without_tls && self.ca.is_none() {
            return Err(invalid(
                "retrieve = \"move\" over TLS needs ca, the authority that certified the PACS",
            ));
        }
        let trusted = if self.without_tls { None } else { authorities(self.ca.as_deref())? };
        let settings = DimseSettings {
            address: self.address.clone(),
            called_title: self.called_ae.clone(),
            calling_title: self.calling_ae.clone(),
            retrieval: self.retrieval()?,
            without_tls: self.without_tls,
            authorities: trusted.unwrap_or_default(),
            identity: identity(self.certificate.as_deref(), self.key.as_deref())?,
            modality: self.modality.clone(),
            limits: PacsLimits {
                requests_per_second: self.requests_per_second,
                parallel_requests: self.parallel_requests,
                answer_seconds: self.answer_seconds,
                max_instance_bytes,
                ..PacsLimits::default()
            },
        };
        Ok(Pacs::by_dimse(settings)?)
    }

    fn retrieval(&self) -> Result<DimseRetrieval, Failure> {
        match (self.retrieve, self.listen, &self.move_destination) {
            (Retrieve::Get, None, None) => Ok(DimseRetrieval::Get),
            (Retrieve::Get, ..) => {
                Err(invalid("listen and move_destination are for retrieve = \"move\" alone"))
            }
            (Retrieve::Move, Some(listen), destination) => {
                let destination = destination.as_ref().unwrap_or(&self.calling_ae).clone();
                Ok(DimseRetrieval::Move { listen, destination })
            }
            (Retrieve::Move, None, _) => {
                Err(invalid("retrieve = \"move\" needs listen, an address of this machine"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "address = \"pacs.test:104\"\ncalled_ae = \"PACS\"\ncalling_ae = \"FEDVAL\"\n\
                         without_tls = true\n";

    fn code(table: &str) -> Option<String> {
        let config: DimseConfig = toml::from_str(table).unwrap();
        config.open(1).err().map(|failure| failure.code)
    }

    fn plain(also: &str) -> Option<String> {
        code(&format!("{PLAIN}{also}"))
    }

    #[test]
    fn a_way_of_retrieval_has_what_it_needs_and_nothing_else() {
        assert_eq!(plain(""), None);
        assert_eq!(plain("retrieve = \"move\"\nlisten = \"127.0.0.1:11112\""), None);
        let config = "retrieve = \"move\"\nlisten = \"[::]:11112\"\nmove_destination = \"OTHER\"";
        assert_eq!(plain(config), None);
        for bad in [
            "retrieve = \"move\"",
            "listen = \"127.0.0.1:11112\"",
            "move_destination = \"OTHER\"",
            "ca = \"/etc/ca.pem\"",
        ] {
            assert_eq!(plain(bad).as_deref(), Some("CONFIG_INVALID"), "{bad}");
        }
        for bad in ["retrieve = \"store\"", "listen = \"11112\"", "url = \"http://p\""] {
            assert!(toml::from_str::<DimseConfig>(&format!("{PLAIN}{bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let other = |from: &str, to: &str| code(&PLAIN.replace(from, to));
        let address = other("pacs.test:104", "http://pacs.test");
        assert_eq!(address.as_deref(), Some("PACS_DIMSE_ADDRESS_INVALID"));
        let title = other("FEDVAL", "A TITLE OF SEVENTEEN");
        assert_eq!(title.as_deref(), Some("PACS_TITLE_INVALID"));
        assert_eq!(plain("parallel_requests = 0").as_deref(), Some("PACS_LIMIT_INVALID"));
        assert_eq!(plain("answer_seconds = 0").as_deref(), Some("PACS_LIMIT_INVALID"));
        let file = tempfile::NamedTempFile::new().unwrap();
        let no_authority = PLAIN.replace("without_tls = true", &format!("ca = {:?}", file.path()));
        assert_eq!(code(&no_authority).as_deref(), Some("PACS_CA_INVALID"));
        let moved = "retrieve = \"move\"\nlisten = \"127.0.0.1:11112\"";
        let over_tls = PLAIN.replace("without_tls = true", moved);
        assert_eq!(code(&over_tls).as_deref(), Some("CONFIG_INVALID"));
    }
}
