//! The one address that is asked.

use std::net::IpAddr;

use hyper::Uri;

use super::PacsError;

/// Where the PACS listens.
#[derive(Clone)]
pub(super) struct Address {
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_tls: bool,
    /// Host and port as a request names them.
    pub(super) authority: String,
    /// What stands in front of every path; without a slash at its end.
    pub(super) root: String,
}

impl Address {
    /// Reads `https://HOST[:PORT][/PATH]`. Without TLS only this machine is spoken to, unless
    /// `without_tls`.
    pub(super) fn parse(url: &str, without_tls: bool) -> Result<Self, PacsError> {
        let uri: Uri = url.parse().map_err(|_| PacsError::BadAddress)?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(PacsError::BadAddress),
        };
        let authority = uri.authority().ok_or(PacsError::BadAddress)?;
        // A user in front of the host is a secret in the wrong place; a query belongs to no root.
        if authority.as_str().contains('@') || uri.query().is_some() || authority.host().is_empty()
        {
            return Err(PacsError::BadAddress);
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if !is_tls && !without_tls && !is_this_machine(&host) {
            return Err(PacsError::WithoutTls);
        }
        Ok(Self {
            port: authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            root: uri.path().trim_end_matches('/').to_owned(),
            host,
            is_tls,
        })
    }
}

/// Reads `HOST:PORT`, with brackets around an IPv6 address: where a PACS listens for associations.
pub(super) fn host_and_port(text: &str) -> Result<(String, u16), PacsError> {
    let uri: Uri = format!("dicom://{text}").parse().map_err(|_| PacsError::BadDimseAddress)?;
    let authority = uri.authority().ok_or(PacsError::BadDimseAddress)?;
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    match authority.port_u16() {
        Some(port)
            if port > 0
                && !host.is_empty()
                && authority.as_str() == text
                && !text.contains('@') =>
        {
            Ok((host, port))
        }
        _ => Err(PacsError::BadDimseAddress),
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_anything_else_is_refused() {
        let address = Address::parse("https://pacs.test/dicom-web/", false).unwrap();
        assert_eq!((address.host.as_str(), address.port, address.is_tls), ("pacs.test", 443, true));
        assert_eq!(
            (address.authority.as_str(), address.root.as_str()),
            ("pacs.test", "/dicom-web")
        );
        let address = Address::parse("http://[::1]:8042", false).unwrap();
        assert_eq!((address.host.as_str(), address.port, address.root.as_str()), ("::1", 8042, ""));
        for bad in ["", "pacs.test", "ftp://pacs.test", "https://u:p@pacs.test", "https://p/?x=1"] {
            assert_eq!(Address::parse(bad, true).err(), Some(PacsError::BadAddress), "{bad}");
        }
    }

    #[test]
    fn an_address_for_associations_is_a_host_and_a_port_and_nothing_else() {
        assert_eq!(host_and_port("pacs.test:104"), Ok(("pacs.test".to_owned(), 104)));
        assert_eq!(host_and_port("[::1]:11112"), Ok(("::1".to_owned(), 11112)));
        for bad in ["", "pacs.test", "pacs.test:", ":104", "pacs.test:0", "pacs.test:70000"] {
            assert_eq!(host_and_port(bad), Err(PacsError::BadDimseAddress), "{bad}");
        }
        for bad in ["http://pacs.test:104", "pacs.test:104/x", "p:104?x=1", "AE@pacs.test:104"] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_tls_only_this_machine_is_spoken_to_unless_a_steward_says_so() {
        for near in ["http://localhost:1", "http://127.0.0.1:1/x", "http://[::1]:1"] {
            assert!(Address::parse(near, false).is_ok(), "{near}");
        }
        for far in ["http://pacs.test", "http://10.0.0.1:80", "http://localhost.test"] {
            assert_eq!(Address::parse(far, false).err(), Some(PacsError::WithoutTls), "{far}");
            assert!(Address::parse(far, true).is_ok());
        }
    }
}
