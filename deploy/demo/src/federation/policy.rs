//! What each hospital allows.

/// Who lets a result leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// Given in advance, for exactly one locked protocol.
    InAdvance,
    /// Given by a steward who looks at what would leave.
    ByHand,
}

/// A hospital's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SitePolicy {
    /// Fewest patients of each label behind any number.
    pub(super) k: u32,
    pub(super) consent: Consent,
    /// How the hospital's part in the demo ends.
    pub(super) expected: &'static str,
}

/// The policy of a hospital of the demo.
pub(super) fn policy_of(site: &str) -> SitePolicy {
    match site {
        // Stricter than the study's 11: the site's own number counts.
        "northgate" => SitePolicy { k: 15, consent: Consent::InAdvance, expected: "released" },
        "riverside" => SitePolicy { k: 11, consent: Consent::ByHand, expected: "released" },
        // Laxer than the study's 11: the study's number counts, and 18 patients are too few.
        "hillside-clinic" => {
            SitePolicy { k: 5, consent: Consent::InAdvance, expected: "insufficient" }
        }
        _ => SitePolicy { k: 11, consent: Consent::InAdvance, expected: "released" },
    }
}

impl SitePolicy {
    /// The text of `policy.toml`.
    pub(super) fn text(&self, protocol_digest: &str) -> String {
        let digests = match self.consent {
            Consent::InAdvance => format!("[\"{protocol_digest}\"]"),
            Consent::ByHand => "[]".to_owned(),
        };
        format!(
            "profile = \"standard\"\nk = {}\nrun_without_approval = {digests}\n\
             release_without_steward = {digests}\n",
            self.k
        )
    }
}
