//! The coordinator's log: whole, signed, the one that sites followed, and with everything in it that the
//! report rests on.

mod reuse;
mod versions;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use fedval_study::{
    Canonical, LogCheckpoint, LogEntry, LogEvent, MerkleTree, RoundRecord, Sha256Digest, SiteId,
};
use fedval_trust::{Certificate, PayloadType, Role, log_checkpoint};

use super::documents::{Documents, canonical, chain};
use super::{PartCheck, part, printable};
use crate::package::layout;
use crate::package::log::{Cosignature, Leaf};

/// What a log says beyond that it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSummary {
    /// Its entries.
    pub entries: u64,
    /// Sites of the round that signed a state of it.
    pub cosigned_by: Vec<SiteId>,
    /// How often the model was dispatched to each site, in this round and any other.
    pub dispatches: BTreeMap<SiteId, u64>,
    /// How often any model was, up to this round, by the round record; nothing where an earlier release recorded it.
    pub dispatches_any_model: BTreeMap<SiteId, u64>,
}

/// A log that was read.
struct Log {
    entries: u64,
    /// The root after so many entries, wherever somebody says that the log stood.
    states: BTreeMap<u64, Sha256Digest>,
    /// Those that concern the round, with their places.
    events: Vec<(u64, LogEntry)>,
}

impl Log {
    /// Reads the log, with its state after each of so many entries. A state takes as many hashes as the log has
    /// levels: only those that are spoken of are made.
    fn read(documents: &Documents<'_>, spoken_of: &BTreeSet<u64>) -> Result<Self, String> {
        let bytes = documents.bytes(layout::LOG)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| "is not text".to_owned())?;
        let round = documents.round.as_ref().ok();
        let concerns =
            |of: &RoundRecord, event: &LogEvent| event.concerns(&of.study, &of.round, &of.model);
        let mut tree = MerkleTree::default();
        let (mut states, mut events) = (BTreeMap::new(), Vec::new());
        let mut note = |tree: &MerkleTree| {
            if spoken_of.contains(&tree.leaves()) {
                states.insert(tree.leaves(), tree.root());
            }
        };
        note(&tree);
        for (index, line) in text.lines().enumerate() {
            let unreadable = || format!("line {} is no leaf of a log", index + 1);
            let leaf = Leaf::read(line).ok_or_else(unreadable)?;
            if let Leaf::Entry(entry) = leaf {
                let entry = Canonical::<LogEntry>::parse(entry.as_bytes());
                let entry = entry.map_err(|_| unreadable())?.into_value();
                if round.is_some_and(|of| concerns(of, &entry.event)) {
                    events.push((tree.leaves(), entry));
                }
            }
            tree.push(leaf.hash());
            note(&tree);
        }
        Ok(Self { entries: tree.leaves(), states, events })
    }

    fn events(&self) -> impl Iterator<Item = &LogEvent> {
        self.events.iter().map(|(_, entry)| &entry.event)
    }

    /// Whether the log once stood there.
    fn was_at(&self, checkpoint: &LogCheckpoint) -> bool {
        self.states.get(&checkpoint.entries) == Some(&checkpoint.root)
    }
}

/// What the package says of where its log stands and stood.
struct Spoken {
    checkpoint: Result<LogCheckpoint, String>,
    cosignatures: Result<Vec<Cosignature>, String>,
}

impl Spoken {
    fn read(documents: &Documents<'_>) -> Self {
        Self {
            checkpoint: documents.bytes(layout::LOG_CHECKPOINT).and_then(|b| canonical(&b)),
            cosignatures: documents.bytes(layout::LOG_COSIGNATURES).and_then(|b| canonical(&b)),
        }
    }

    fn entries(&self, elsewhere: Option<&LogCheckpoint>) -> BTreeSet<u64> {
        let cosigned = self.cosignatures.iter().flatten().map(|of| &of.checkpoint);
        let all = self.checkpoint.iter().chain(cosigned).chain(elsewhere);
        all.map(|checkpoint| checkpoint.entries).collect()
    }
}

/// The parts of the log, in order, with what it says. A checkpoint from elsewhere must be one of its states.
pub(super) fn check(
    documents: &Documents<'_>,
    report: Result<Sha256Digest, String>,
    elsewhere: Option<&LogCheckpoint>,
) -> (Vec<PartCheck>, LogSummary) {
    let spoken = Spoken::read(documents);
    let log = Log::read(documents, &spoken.entries(elsewhere));
    let judged = || log.as_ref().map_err(Clone::clone);
    let Spoken { checkpoint, cosignatures } = spoken;
    let cosigned = judged().and_then(|log| check_cosignatures(documents, log, &cosignatures?));
    let checkpoint = judged().and_then(|log| check_checkpoint(documents, log, checkpoint?));
    let parts = vec![
        part(layout::LOG, judged().and_then(|log| check_contents(documents, log, report))),
        part(layout::LOG_CHECKPOINT, checkpoint),
        part(layout::LOG_COSIGNATURES, cosigned.as_ref().map(|_| ()).map_err(Clone::clone)),
    ];
    let known = elsewhere.map(|seen| {
        let never = || format!("never stood where it was seen with {} entries", seen.entries);
        let check = judged().and_then(|log| log.was_at(seen).then_some(()).ok_or_else(never));
        part("evidence/log.jsonl: the checkpoint given", check)
    });
    let summary = LogSummary {
        entries: log.as_ref().map_or(0, |log| log.entries),
        cosigned_by: cosigned.unwrap_or_default(),
        dispatches: log.as_ref().map(dispatches(documents)).unwrap_or_default(),
        dispatches_any_model: documents.round.as_ref().map(reuse::of_any_model).unwrap_or_default(),
    };
    (parts.into_iter().chain(known).collect(), summary)
}

/// Dispatches of the round's model by site.
fn dispatches(documents: &Documents<'_>) -> impl Fn(&Log) -> BTreeMap<SiteId, u64> {
    let model = documents.round.as_ref().ok().map(|round| round.model);
    move |log| {
        let mut counts = BTreeMap::new();
        for event in log.events() {
            if let LogEvent::Dispatched { site, model: own, .. } = event
                && Some(*own) == model
            {
                *counts.entry(site.clone()).or_insert(0) += 1;
            }
        }
        counts
    }
}

/// Everything that the round record speaks of is there, and nothing that it keeps silent about.
fn check_contents(
    documents: &Documents<'_>,
    log: &Log,
    report: Result<Sha256Digest, String>,
) -> Result<(), String> {
    let round = documents.round_for_judging()?;
    let study = &documents.protocol_for_judging()?.protocol().id;
    let held: HashSet<String> = log.events().map(|event| format!("{event:?}")).collect();
    let mut answered: BTreeSet<&SiteId> = BTreeSet::new();
    for event in log.events() {
        if let LogEvent::ResultRecorded { round: own, site, .. } = event
            && *own == round.round
        {
            answered.insert(site);
        }
    }
    let report = report?;
    let wanted = expected(round, study, report);
    let is_missing = |event: &LogEvent| !held.contains(&format!("{event:?}"));
    if let Some((what, _)) = wanted.iter().find(|(_, event)| is_missing(event)) {
        return Err(format!("does not hold {what}"));
    }
    reuse::check(&log.events, round)?;
    versions::check(&log.events, round)?;
    check_signatures(documents, log, round, report)?;
    let with_result: BTreeSet<&SiteId> = round
        .sites
        .iter()
        .filter(|record| record.result.is_some())
        .map(|record| &record.site)
        .collect();
    match answered.difference(&with_result).next() {
        Some(site) => Err(format!("holds a result of {site} that the round record leaves out")),
        None => Ok(()),
    }
}

/// The signatures under this report are those that were logged: none left out, none made up.
fn check_signatures(
    documents: &Documents<'_>,
    log: &Log,
    record: &RoundRecord,
    this: Sha256Digest,
) -> Result<(), String> {
    let logged: BTreeSet<Sha256Digest> = log
        .events()
        .filter_map(|event| match event {
            LogEvent::ReportSigned { round, report, signature, .. }
                if *round == record.round && *report == this =>
            {
                Some(*signature)
            }
            _ => None,
        })
        .collect();
    let mut here = BTreeSet::new();
    for path in documents.signatures.keys() {
        let digest = Sha256Digest::of(&documents.bytes(path)?);
        if !logged.contains(&digest) {
            return Err(format!("does not hold {}", printable(path)));
        }
        here.insert(digest);
    }
    if here == logged {
        Ok(())
    } else {
        Err("holds a signature under this report that was left out".to_owned())
    }
}

/// What must be logged, with what it is called.
fn expected(
    record: &RoundRecord,
    study: &fedval_study::StudyId,
    report: Sha256Digest,
) -> Vec<(String, LogEvent)> {
    let RoundRecord { protocol, model, round, .. } = record;
    let (protocol, model) = (*protocol, *model);
    let locking = LogEvent::ProtocolLocked { study: study.clone(), protocol, model };
    let mut events = vec![("the locking of the protocol".to_owned(), locking)];
    for site in &record.sites {
        let (study, round, id) = (study.clone(), round.clone(), site.site.clone());
        let dispatched =
            LogEvent::Dispatched { study, round: round.clone(), site: id.clone(), protocol, model };
        events.push((format!("the dispatch to {id}"), dispatched));
        if let Some(result) = site.result {
            let recorded = LogEvent::ResultRecorded { round, site: id.clone(), result };
            events.push((format!("the result of {id}"), recorded));
        }
    }
    if record.closed_at_ms.is_some() {
        let closed = LogEvent::RoundClosed { round: round.clone() };
        events.push(("the closing of the round".to_owned(), closed));
    }
    let built = LogEvent::ReportBuilt { round: round.clone(), report };
    events.push(("this report".to_owned(), built));
    events
}

/// The coordinator signed that the log stands where its lines end.
fn check_checkpoint(
    documents: &Documents<'_>,
    log: &Log,
    checkpoint: LogCheckpoint,
) -> Result<(), String> {
    if checkpoint.entries != log.entries || !log.was_at(&checkpoint) {
        return Err("is not where the lines of the log end".to_owned());
    }
    if checkpoint.log != this_log(documents)? {
        return Err("is of the log of another consortium".to_owned());
    }
    let then = documents.as_of()?;
    let kind = PayloadType::LogCheckpoint;
    documents.signed_by(&Role::Coordinator, layout::LOG_CHECKPOINT, kind, then)
}

fn this_log(documents: &Documents<'_>) -> Result<Sha256Digest, String> {
    let root =
        documents.root.as_ref().map_err(|_| "cannot be judged without the root".to_owned())?;
    Ok(root.fingerprint().0)
}

/// Each signature is that of the site, over a state that the log had. Which sites of the round signed one that
/// holds what they have to do with it: their own answer or, where there is none, that they were asked.
fn check_cosignatures(
    documents: &Documents<'_>,
    log: &Log,
    all: &[Cosignature],
) -> Result<Vec<SiteId>, String> {
    let this = this_log(documents)?;
    if !all.windows(2).all(|pair| pair[0].site < pair[1].site) {
        return Err("are not in order of sites, one of each".to_owned());
    }
    for cosignature in all {
        let site = &cosignature.site;
        if cosignature.checkpoint.log != this || !log.was_at(&cosignature.checkpoint) {
            let entries = cosignature.checkpoint.entries;
            return Err(format!("{site} signed another log, of {entries} entries"));
        }
        check_signer(documents, cosignature).map_err(|problem| format!("{site}: {problem}"))?;
    }
    let own = places(log, documents.round_for_judging()?);
    let covers =
        |of: &Cosignature| own.get(&of.site).is_some_and(|place| of.checkpoint.entries > *place);
    Ok(all.iter().filter(|of| covers(of)).map(|of| of.site.clone()).collect())
}

/// Where the last entry about each site of the round stands.
fn places<'l>(log: &'l Log, record: &RoundRecord) -> BTreeMap<&'l SiteId, u64> {
    let mut places = BTreeMap::new();
    for (place, entry) in &log.events {
        match &entry.event {
            LogEvent::Dispatched { round, site, .. }
            | LogEvent::ResultRecorded { round, site, .. }
                if *round == record.round =>
            {
                places.insert(site, *place);
            }
            _ => {}
        }
    }
    places
}

fn check_signer(documents: &Documents<'_>, cosignature: &Cosignature) -> Result<(), String> {
    let root =
        documents.root.as_ref().map_err(|_| "cannot be judged without the root".to_owned())?;
    let endorsement = &cosignature.endorsement;
    let certificate = Certificate::from_pem(&endorsement.certificate).map_err(|e| chain(&e))?;
    if *certificate.role() != Role::Site(cosignature.site.clone()) {
        return Err("the certificate is not the site's".to_owned());
    }
    // Sites renew their certificates after the round, too: what counts is that this one was ever good.
    certificate.verify(root, certificate.not_before()).map_err(|error| chain(&error))?;
    let holds = log_checkpoint::verifies(
        certificate.public_key(),
        cosignature.checkpoint,
        &endorsement.signature,
    );
    if holds { Ok(()) } else { Err("the signature does not hold".to_owned()) }
}
