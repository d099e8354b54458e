//! `[metrics]`.

use std::net::SocketAddr;

use serde::Deserialize;

/// The page of metrics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricsConfig {
    /// An address of this machine alone, such as 127.0.0.1:9464.
    pub(crate) listen: SocketAddr,
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, TEMPLATE};

    #[test]
    fn the_metrics_page_in_the_example_works_when_it_is_switched_on() {
        let text = TEMPLATE.replace("# [metrics]\n# listen", "[metrics]\nlisten");
        let config: Config = toml::from_str(&text).unwrap();
        assert!(config.metrics.is_some_and(|metrics| metrics.listen.ip().is_loopback()));
    }
}
