//! How many answers a site ever gave, as it signs it with each: what keeps a restored backup from
//! forgetting.

use serde::{Deserialize, Serialize};

use crate::canonical::exact_u64;
use crate::digest::Sha256Digest;
use crate::id::SiteId;

/// A site's own statement about its ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerMark {
    /// The site.
    pub site: SiteId,
    /// Entries of its ledger.
    #[serde(serialize_with = "exact_u64")]
    pub entries: u64,
    /// Hash of the last entry of its journal then: a journal that does not hold it is another one,
    /// however long.
    pub head: Sha256Digest,
}
