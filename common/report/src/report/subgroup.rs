//! Performance by category of the protocol's subgroup dictionary.

use fedval_study::{Name, SiteId};
use serde::{Deserialize, Serialize};

use super::{Disclosed, Group, Syntheses};

/// One category of one dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subgroup {
    /// Dimension.
    pub dimension: Name,
    /// Category.
    pub category: Name,
    /// Every site that released a result, in order of ids.
    pub sites: Vec<SubgroupSite>,
    /// Synthesis across the sites that released this category.
    pub synthesis: Syntheses,
}

/// One site's cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubgroupSite {
    /// The site.
    pub site: SiteId,
    /// Its aggregates in estimates, or the code of the rule that keeps them on site.
    pub performance: Disclosed<Group>,
}
