//! Whether this machine prepares images as the study's protocol says, shown on synthetic ones.

use fedval_ambient::Failure;
use fedval_evaluate::{check_preprocessing, probe_count};
use fedval_study::ScoreSource;
use fedval_study::protocol::StudyProtocol;

use super::Checked;
use crate::config::DataSource;
use crate::home::Home;

const WHAT: &str = "preprocessing";

/// Sends the probe images through the decoder. A prediction table has no image that could be prepared.
pub(super) async fn check(home: &Home, protocol: &StudyProtocol, source: &DataSource) -> Checked {
    if source.scores() == ScoreSource::PredictionTable {
        return Checked::untested(WHAT, "the study's source brings results, and no image");
    }
    Checked::new(WHAT, probed(home, protocol).await)
}

async fn probed(home: &Home, protocol: &StudyProtocol) -> Result<String, Failure> {
    let limits = home.config()?.limits.decode();
    let input = &protocol.model.input;
    let agreed = check_preprocessing(input, limits).await?;
    let digest =
        agreed.summary().map_or_else(String::new, |digest| format!(" ({})", digest.short()));
    Ok(format!("{} probe images come out as the protocol says{digest}", probe_count(input)))
}
