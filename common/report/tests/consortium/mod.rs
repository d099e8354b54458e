//! A consortium with real keys, and rounds of it from beginning to end.

#![allow(dead_code, reason = "each test binary uses its own part")]

mod log;
pub(crate) mod signature;

use std::collections::BTreeMap;

use fedval_ambient::{Clock as _, MockClock, SeededEntropy};
use fedval_preprocess::probe::Probes;
use fedval_report::{BuildError, Evidence, Package, SignedByPerson, Unlogged};
use fedval_study::protocol::{
    Analysis, AttributeSource, Band, Category, Dimension, DisclosureFloor, Endpoint, EndpointBasis,
    EndpointDirection, FrameChoice, Grouping, Layout, ModelInput, ModelOutput, ModelSpecification,
    Monochrome1, OperatingPoint, OutputForm, PredictionTables, ProbeRule, Profile,
    ReferenceStandard, Resize, ScoreScale, StudyProtocol, Task, Unit, ValueScaling,
};
use fedval_study::result::{AttritionCount, FailedStage, SubgroupCell};
use fedval_study::summary::FailureReason;
use fedval_study::{
    BuildDigest, Canonical, Cell, CohortCommitment, LockedProtocol, LogEvent, ModelDigest, Outcome,
    PolicyDigest, ProbeDigests, ProtocolHistory, ProtocolRecord, Release, ResultDigest,
    ResultHeader, RoundRecord, ScoreSource, Sha256Digest, SiteId, SiteRecord, SiteResult,
    SiteStatus, Terms,
};
use fedval_trust::{Authority, Certificate, PayloadType, Role, SecretKey, SignedDocument};

use crate::cohort::{Case, Recipe, performance};

/// What a site answers; `None` is silence.
pub(crate) type Answers = Vec<(&'static str, Option<Outcome>)>;

pub(crate) fn digest(text: &str) -> Sha256Digest {
    Sha256Digest::of(text.as_bytes())
}

fn endpoint(name: &str, metric: &str, limit: f64, basis: EndpointBasis) -> Endpoint {
    Endpoint {
        name: name.parse().unwrap(),
        metric: metric.parse().unwrap(),
        limit,
        direction: EndpointDirection::AtLeast,
        basis,
    }
}

fn category(name: &str) -> Category {
    Category { name: name.parse().unwrap(), values: vec![name.to_owned()] }
}

/// The protocol that tests start from.
pub(crate) fn plan() -> StudyProtocol {
    let band = |name: &str, from, below| Band { name: name.parse().unwrap(), from, below };
    let point = |name: &str, threshold| OperatingPoint { name: name.parse().unwrap(), threshold };
    StudyProtocol {
        amends: None,
        schema: "fedval.protocol/1".to_owned(),
        id: "cxr-pneumonia".parse().unwrap(),
        version: 2,
        title: "External validation of a pneumonia classifier on chest radiographs".to_owned(),
        target_condition: "pneumonia".to_owned(),
        eligibility: "adults with a frontal chest radiograph".to_owned(),
        task: Task::Binary,
        model: model(),
        prediction_tables: PredictionTables::Refuse,
        preprocessing_probes: ProbeRule::Accept,
        reference_standard: ReferenceStandard {
            description: "consensus of two radiologists, blinded to the index test".to_owned(),
            positive: vec!["1".to_owned()],
            negative: vec!["0".to_owned()],
        },
        analysis: Analysis {
            unit: Unit::Image,
            combine: None,
            failure_limit: 0.05,
            ece_bins: 10,
            level: 0.95,
            prevalences: vec![0.02, 0.2],
        },
        operating_points: vec![point("rule-out", 0.2), point("balanced", 0.5)],
        subgroups: vec![
            Dimension {
                name: "sex".parse().unwrap(),
                source: AttributeSource::Column("sex".to_owned()),
                grouping: Grouping::Categories(vec![category("female"), category("male")]),
            },
            Dimension {
                name: "age".parse().unwrap(),
                source: AttributeSource::Dicom("PatientAge".to_owned()),
                grouping: Grouping::Bands(vec![
                    band("under-65", 0.0, 65.0),
                    band("from-65", 65.0, 130.0),
                ]),
            },
        ],
        crossings: Vec::new(),
        endpoints: vec![
            endpoint("discrimination", "auroc", 0.8, EndpointBasis::PooledMean),
            endpoint("transport", "auroc", 0.75, EndpointBasis::NewSite),
            endpoint("rules-out", "sensitivity@rule-out", 0.95, EndpointBasis::PooledMean),
        ],
        disclosure: DisclosureFloor { profile: Profile::Standard, k: 11 },
    }
}

fn model() -> ModelSpecification {
    ModelSpecification {
        name: "PneumoNet 3.1".to_owned(),
        digest: ModelDigest(digest("model")),
        bytes: 318_442,
        input: ModelInput {
            name: "image".to_owned(),
            layout: Layout::Nchw,
            height: 256,
            width: 256,
            channels: 1,
            scaling: ValueScaling::Unit,
            mean: 0.0,
            standard_deviation: 1.0,
            resize: Resize::Bilinear,
            monochrome1: Monochrome1::Invert,
            frame: FrameChoice::Only,
            volume: None,
        },
        output: ModelOutput {
            name: "probability".to_owned(),
            scale: ScoreScale::Probability,
            positive_index: 0,
            values: 1,
            separate: false,
            form: OutputForm::Scores,
        },
    }
}

/// What a site with this cohort releases.
pub(crate) fn released(plan: &StudyProtocol, recipe: Recipe) -> Outcome {
    released_cases(plan, &recipe.cases())
}

/// What a site with these cases releases, under the rule on denominators.
pub(crate) fn released_cases(plan: &StudyProtocol, cases: &[Case]) -> Outcome {
    let subgroups = plan.subgroups.iter().flat_map(|dimension| {
        let first = cells(plan, cases, dimension, true);
        let second = cells(plan, cases, dimension, false);
        let enough = first.1 && second.1;
        [first, second].into_iter().map(move |(mut cell, _)| {
            if !enough {
                // One small leaf takes the other with it: the whole is published.
                cell.performance = Cell::Suppressed;
            }
            cell
        })
    });
    Outcome::Released(Box::new(Release {
        terms: Terms::exact(Profile::Standard, 11),
        attrition: vec![
            AttritionCount { reason: FailureReason::Undecodable, patients: Cell::Released(12) },
            AttritionCount { reason: FailureReason::Other, patients: Cell::Suppressed },
        ],
        overall: performance(cases, plan),
        subgroups: subgroups.collect(),
    }))
}

/// The cell of the first or second category, and whether its denominators are large enough.
fn cells(
    plan: &StudyProtocol,
    cases: &[Case],
    dimension: &Dimension,
    first: bool,
) -> (SubgroupCell, bool) {
    let by_sex = dimension.name.as_str() == "sex";
    let belongs = |case: &&Case| (if by_sex { case.female } else { !case.old }) == first;
    let cases: Vec<Case> = cases.iter().filter(belongs).copied().collect();
    let names = dimension.category_names();
    let performance = performance(&cases, plan);
    let patients = performance.patients;
    let cell = SubgroupCell {
        dimension: dimension.name.clone(),
        category: names[usize::from(!first)].clone(),
        performance: Cell::Released(performance),
    };
    (cell, patients.with_positive >= 11 && patients.with_negative >= 11)
}

/// Five sites: three that released, one too small, one silent.
pub(crate) fn answers(plan: &StudyProtocol) -> Answers {
    let recipe = Recipe::default();
    vec![
        ("site-a", Some(released(plan, Recipe { seed: 11, repeats: 3, ..recipe }))),
        (
            "site-b",
            Some(released(
                plan,
                Recipe { seed: 12, patients: 320, separation: 2.6, share_female: 0.04, ..recipe },
            )),
        ),
        (
            "site-c",
            Some(released(
                plan,
                Recipe { seed: 13, patients: 410, separation: 1.5, shift: 0.9, ..recipe },
            )),
        ),
        ("site-d", Some(Outcome::Insufficient)),
        ("site-e", None),
    ]
}

/// Every way in which a site can answer.
pub(crate) fn all_answers(plan: &StudyProtocol) -> Answers {
    let mut answers = answers(plan);
    let recipe = Recipe { seed: 15, patients: 180, separation: 2.0, ..Recipe::default() };
    answers.push(("site-f", Some(released(plan, recipe))));
    answers.push(("site-g", Some(Outcome::Refused)));
    answers.push(("site-h", Some(Outcome::Failed(FailedStage::ModelLoad))));
    answers
}

/// Keys and certificates of everyone.
pub(crate) struct Consortium {
    pub(crate) clock: MockClock,
    pub(crate) entropy: SeededEntropy,
    pub(crate) authority: Authority,
    pub(crate) coordinator: (SecretKey, Certificate),
    pub(crate) sponsor: (SecretKey, Certificate),
}

impl Consortium {
    pub(crate) fn new(seed: u64) -> Self {
        let (clock, entropy) = (MockClock::default(), SeededEntropy::new(seed));
        let authority = Authority::create(&clock, &entropy).unwrap();
        let issue = |role: &Role| {
            let key = SecretKey::generate(&entropy);
            let certificate = authority.issue(role, &key, &[], 90, &clock, &entropy).unwrap();
            (key, certificate)
        };
        let coordinator = issue(&Role::Coordinator);
        let sponsor = issue(&Role::Sponsor);
        Self { clock, entropy, authority, coordinator, sponsor }
    }

    /// A round from dispatch to close.
    pub(crate) fn evidence(&self, plan: &StudyProtocol, answers: &Answers) -> Evidence {
        let locked = LockedProtocol::new(plan.clone()).unwrap();
        self.evidence_under(&ProtocolHistory::new(vec![locked]).unwrap(), answers)
    }

    /// The same under a protocol that may have been amended.
    pub(crate) fn evidence_under(&self, history: &ProtocolHistory, answers: &Answers) -> Evidence {
        let (round, results) = documents_under(history, answers, self.clock.now().unix_millis());
        let earlier = history.earlier().iter();
        let round = Canonical::new(round).unwrap();
        Evidence {
            root: self.authority.root().clone(),
            protocol: self.by_sponsor(history.in_force()),
            earlier_protocols: earlier
                .map(|locked| (locked.protocol().version, self.by_sponsor(locked)))
                .collect(),
            round: self.by_coordinator(PayloadType::Round, round.bytes()),
            results: results
                .into_iter()
                .map(|(site, result)| {
                    let bytes = Canonical::new(result).unwrap().bytes().to_vec();
                    let signed = self.by_site(&site, bytes);
                    (site, signed)
                })
                .collect(),
        }
    }

    pub(crate) fn by_sponsor(&self, locked: &LockedProtocol) -> SignedDocument {
        let (key, certificate) = &self.sponsor;
        let bytes = locked.bytes().to_vec();
        let mut signed = SignedDocument::sign(PayloadType::Protocol, bytes, key, certificate);
        signed.endorse(&self.coordinator.0, &self.coordinator.1);
        signed
    }

    pub(crate) fn by_coordinator(&self, kind: PayloadType, bytes: &[u8]) -> SignedDocument {
        SignedDocument::sign(kind, bytes.to_vec(), &self.coordinator.0, &self.coordinator.1)
    }

    pub(crate) fn by_site(&self, site: &SiteId, bytes: Vec<u8>) -> SignedDocument {
        let key = SecretKey::generate(&self.entropy);
        let role = Role::Site(site.clone());
        let certificate =
            self.authority.issue(&role, &key, &[], 90, &self.clock, &self.entropy).unwrap();
        SignedDocument::sign(PayloadType::SiteResult, bytes, &key, &certificate)
    }

    pub(crate) fn package(&self, plan: &StudyProtocol, answers: &Answers) -> Package {
        self.seal(self.evidence(plan, answers)).unwrap()
    }

    /// The package of a report that the log speaks of as it should.
    pub(crate) fn seal(&self, evidence: Evidence) -> Result<Package, BuildError> {
        self.seal_with(evidence, |_, events| events)
    }

    /// The same with a log of other events.
    pub(crate) fn seal_with(
        &self,
        evidence: Evidence,
        change: impl Fn(&RoundRecord, Vec<LogEvent>) -> Vec<LogEvent>,
    ) -> Result<Package, BuildError> {
        self.seal_signed(evidence, |_, _| Vec::new(), change)
    }

    /// The same under the signatures that `sign` makes for the round and the report's digest, which the log holds.
    pub(crate) fn seal_signed(
        &self,
        evidence: Evidence,
        sign: impl Fn(&RoundRecord, Sha256Digest) -> Vec<SignedByPerson>,
        change: impl Fn(&RoundRecord, Vec<LogEvent>) -> Vec<LogEvent>,
    ) -> Result<Package, BuildError> {
        let round = evidence.round.bytes.clone();
        let unlogged = Unlogged::assemble(evidence)?;
        let record: RoundRecord = Canonical::parse(&round).unwrap().into_value();
        let signatures = sign(&record, unlogged.digest());
        let mut events = log::events(&record, unlogged.digest());
        events.extend(signatures.iter().map(signature::logged));
        let events = change(&record, events);
        let (key, certificate) = &self.coordinator;
        unlogged.seal(signatures, self.log(&record, &events), key, certificate)
    }
}

/// Protocol, round record and results that belong together.
pub(crate) fn documents(
    plan: &StudyProtocol,
    answers: &Answers,
    opened_at_ms: i64,
) -> (ProtocolHistory, RoundRecord, BTreeMap<SiteId, SiteResult>) {
    let locked = LockedProtocol::new(plan.clone()).unwrap();
    let history = ProtocolHistory::new(vec![locked]).unwrap();
    let (round, results) = documents_under(&history, answers, opened_at_ms);
    (history, round, results)
}

fn documents_under(
    history: &ProtocolHistory,
    answers: &Answers,
    opened_at_ms: i64,
) -> (RoundRecord, BTreeMap<SiteId, SiteResult>) {
    let protocol = history.in_force();
    let plan = protocol.protocol();
    let locked_at = |(index, locked): (i64, &LockedProtocol)| ProtocolRecord {
        protocol: locked.digest(),
        locked_at_ms: log::logged_at(opened_at_ms, 1 + index),
        results_before: 0,
    };
    let round_id = format!("{}-r1", plan.id);
    let (mut sites, mut results) = (Vec::new(), BTreeMap::new());
    let probes = match plan.preprocessing_probes {
        ProbeRule::Accept => ProbeDigests::default(),
        ProbeRule::Require => Probes::of(&plan.model.input).expected(),
    };
    for (index, (site, outcome)) in answers.iter().enumerate() {
        let site: SiteId = site.parse().unwrap();
        let hours = i64::try_from(index).unwrap() + 1;
        let result = outcome.clone().map(|outcome| SiteResult {
            header: ResultHeader {
                study: plan.id.clone(),
                protocol: protocol.digest(),
                model: plan.model.digest,
                round: round_id.parse().unwrap(),
                site: site.clone(),
                cohort: Some(CohortCommitment(digest(&format!("cohort of {site}")))),
                policy: Some(PolicyDigest(digest(&format!("policy of {site}")))),
                agent_build: BuildDigest(digest("agent")),
                scores: ScoreSource::Model,
                preprocessing: match outcome.terms() {
                    Some(_) => probes.clone(),
                    None => ProbeDigests::default(),
                },
            },
            outcome,
        });
        sites.push(site_record(&site, result.as_ref(), opened_at_ms, hours));
        results.extend(result.map(|result| (site, result)));
    }
    let round = RoundRecord {
        software_version: "0.1.0".to_owned(),
        report_revision: fedval_report::REPORT_REVISION,
        study: plan.id.clone(),
        round: round_id.parse().unwrap(),
        protocol: protocol.digest(),
        model: plan.model.digest,
        opened_at_ms,
        closed_at_ms: Some(opened_at_ms + 864_000_000),
        protocols: (0_i64..).zip(history.versions()).map(locked_at).collect(),
        sites,
    };
    (round, results)
}

/// What the coordinator records of a site that answered after so many hours, or did not.
fn site_record(
    site: &SiteId,
    result: Option<&SiteResult>,
    opened_at_ms: i64,
    hours: i64,
) -> SiteRecord {
    let digest = |result: &SiteResult| Canonical::new(result.clone()).unwrap().digest();
    SiteRecord {
        site: site.clone(),
        dispatched_at_ms: opened_at_ms + 60_000,
        status: result.map_or(SiteStatus::Missing, |result| status(&result.outcome)),
        result: result.map(|result| ResultDigest(digest(result))),
        recorded_at_ms: result.map(|_| opened_at_ms + hours * 3_600_000),
        earlier_dispatches: 0,
        earlier_dispatches_any_model: Some(0),
    }
}

fn status(outcome: &Outcome) -> SiteStatus {
    match outcome {
        Outcome::Released(_)
        | Outcome::ReleasedCoarse(_)
        | Outcome::ReleasedNoisy(_)
        | Outcome::ReleasedClasses(_)
        | Outcome::ReleasedConditions(_)
        | Outcome::ReleasedMeasures(_)
        | Outcome::ReleasedDetection(_) => SiteStatus::Released,
        Outcome::Insufficient => SiteStatus::Insufficient,
        Outcome::Refused => SiteStatus::Refused,
        Outcome::Failed(_) => SiteStatus::Failed,
    }
}
