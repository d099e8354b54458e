//! What a report says that guidelines ask for: in which section, and by which words it is known there.

use crate::report::Report;

/// A section of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Above the first heading: title, index test, target condition, disclosure control.
    Head,
    /// Verdicts on the endpoints.
    Verdicts,
    /// The summary.
    Summary,
    /// Sites and participants.
    Participants,
    /// Performance at each site.
    Performance,
    /// Synthesis across sites.
    Synthesis,
    /// Subgroups and gaps.
    Subgroups,
    /// Limits.
    Limits,
    /// Digests of documents, software, data.
    Provenance,
}

impl Section {
    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Head => "Head of the report",
            Self::Verdicts => "Verdict on the pre-specified endpoints",
            Self::Summary => "Summary",
            Self::Participants => "Sites and participants",
            Self::Performance => "Performance at each site",
            Self::Synthesis => "Synthesis across sites",
            Self::Subgroups => "Subgroups",
            Self::Limits => "Limits",
            Self::Provenance => "Provenance",
        }
    }

    /// Where it stands on the page.
    #[must_use]
    pub const fn anchor(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Verdicts => "verdicts",
            Self::Summary => "summary",
            Self::Participants => "participants",
            Self::Performance => "performance",
            Self::Synthesis => "synthesis",
            Self::Subgroups => "subgroups",
            Self::Limits => "limits",
            Self::Provenance => "provenance",
        }
    }
}

/// Something that a report prints.
///
/// Items of guidelines name a passage, never a section: each passage knows where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Index test and target condition.
    Subject,
    /// The disclosure control in force.
    DisclosureControl,
    /// What was asked beforehand, with limits.
    Endpoints,
    /// The pooled answer to the first endpoint.
    MainResult,
    /// Flow diagrams.
    Flow,
    /// Patients and cases analysed, with and without the condition.
    Analysed,
    /// Who was not analysed, and why.
    Attrition,
    /// Who could take part.
    Eligibility,
    /// How the reference standard was established.
    ReferenceStandard,
    /// Patients by the categories of each dimension.
    Mix,
    /// Metrics of each site, with intervals.
    Performance,
    /// The locked cut-offs.
    CutOffs,
    /// Calls against the reference standard.
    Counts,
    /// Pooled means, methods and heterogeneity.
    Synthesis,
    /// Performance by group.
    Subgroups,
    /// How groups differ.
    Gaps,
    /// What no reader may conclude.
    Limits,
    /// The locked protocol, by its digest.
    Protocol,
    /// The one model file that was tested, by its digest.
    Model,
    /// What made the report.
    Software,
    /// Which data can be had.
    Data,
    /// Whether the analysis can be made again.
    Code,
}

impl Passage {
    /// The section that prints it.
    #[must_use]
    pub const fn section(self) -> Section {
        match self {
            Self::Subject | Self::DisclosureControl => Section::Head,
            Self::Endpoints => Section::Verdicts,
            Self::MainResult => Section::Summary,
            Self::Flow
            | Self::Analysed
            | Self::Attrition
            | Self::Eligibility
            | Self::ReferenceStandard
            | Self::Mix => Section::Participants,
            Self::Performance | Self::CutOffs | Self::Counts => Section::Performance,
            Self::Synthesis => Section::Synthesis,
            Self::Subgroups | Self::Gaps => Section::Subgroups,
            Self::Limits => Section::Limits,
            Self::Protocol | Self::Model | Self::Software | Self::Data | Self::Code => {
                Section::Provenance
            }
        }
    }

    /// What of the section it is.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Subject => "index test and target condition",
            Self::DisclosureControl => "disclosure control",
            Self::Endpoints => "endpoints and their limits",
            Self::MainResult => "pooled answer to the first endpoint",
            Self::Flow => "flow diagrams",
            Self::Analysed => "patients and cases of each site",
            Self::Attrition => "patients with cases not analysed",
            Self::Eligibility => "eligibility",
            Self::ReferenceStandard => "reference standard",
            Self::Mix => "mix of patients by dimension and site",
            Self::Performance => "estimates with intervals",
            Self::CutOffs => "locked cut-offs",
            Self::Counts => "calls against the reference standard",
            Self::Synthesis => "means, intervals, methods, heterogeneity",
            Self::Subgroups => "estimates by group",
            Self::Gaps => "gaps between groups",
            Self::Limits => "what no reader may conclude",
            Self::Protocol => "digest of the protocol",
            Self::Model => "digest of the one model file",
            Self::Software => "software and its version",
            Self::Data => "access to data",
            Self::Code => "access to the analysis",
        }
    }

    /// Words of the page that stand in its section wherever it does.
    ///
    /// # Errors
    ///
    /// Why this report does not say it.
    pub fn words(self, report: &Report) -> Result<&'static str, &'static str> {
        match self {
            Self::Subject => Ok("Index test"),
            Self::DisclosureControl => Ok("Disclosure control"),
            Self::Endpoints => Ok("Limits were fixed in the locked protocol"),
            Self::MainResult => {
                let first = report.verdicts.first();
                let pooled = first.and_then(|verdict| report.synthesis_of(&verdict.metric));
                stands(pooled.is_some(), "Pooled over", "too few sites released it")
            }
            Self::Flow => Ok("Flow of sites, patients and cases, after STARD"),
            Self::Analysed => Ok("Sites, participants and attrition."),
            Self::Attrition => Ok("its patient counts under every reason that applies"),
            Self::Eligibility => {
                let is_stated = !report.study.eligibility.trim().is_empty();
                stands(is_stated, "Eligibility: ", "the protocol states no eligibility")
            }
            Self::ReferenceStandard => Ok("Reference standard: "),
            Self::Mix => stands(has_groups(report), "Mix of patients by", NO_GROUPS),
            Self::Performance => {
                stands(has_results(report), "Pooled: random-effects mean", NO_RESULTS)
            }
            Self::CutOffs => cut_offs(report),
            Self::Counts => counts(report),
            Self::Synthesis => stands(has_results(report), "Random-effects synthesis", NO_RESULTS),
            Self::Subgroups => {
                stands(has_groups(report), "not adjusted for multiplicity", NO_GROUPS)
            }
            Self::Gaps => {
                let are_compared = has_groups(report) && !report.gaps.is_empty();
                stands(are_compared, "Gaps between groups: group minus reference", NO_GAPS)
            }
            Self::Limits => Ok("Signatures prove who released each number"),
            Self::Protocol => Ok("Protocol (SHA-256)"),
            Self::Model => Ok("Model file (SHA-256)"),
            Self::Software => Ok("made by"),
            Self::Data => Ok("data of patients stay at the sites"),
            Self::Code => Ok("makes every number again from the signed results"),
        }
    }
}

const NO_RESULTS: &str = "no site released results";
const NO_GROUPS: &str = "the protocol names no groups, or no site released results";
const NO_GAPS: &str = "the protocol compares no groups, or no site released results";
const NO_CUT_OFF: &str = "the protocol names no operating point, or no site released results";

fn stands(
    is_there: bool,
    words: &'static str,
    why_not: &'static str,
) -> Result<&'static str, &'static str> {
    if is_there { Ok(words) } else { Err(why_not) }
}

const fn has_results(report: &Report) -> bool {
    report.participants.sites.released > 0
}

const fn has_groups(report: &Report) -> bool {
    has_results(report) && !report.subgroups.is_empty()
}

fn cut_offs(report: &Report) -> Result<&'static str, &'static str> {
    if !has_results(report) {
        return Err(NO_RESULTS);
    }
    if report.detection.is_some() {
        return Ok("Findings at the locked cut-off");
    }
    let are_named = !report.study.operating_points.is_empty();
    stands(are_named, "positive where the score is at least", NO_CUT_OFF)
}

fn counts(report: &Report) -> Result<&'static str, &'static str> {
    if has_results(report) && report.classes.is_some() {
        return Ok("How patients were called, added up over");
    }
    let shares = "Response counts, sensitivity and specificity at the locked operating points";
    match cut_offs(report) {
        Ok(_) if report.detection.is_none() => Ok(shares),
        other => other,
    }
}
