//! One lane of an evaluation: while its model looks at one case, its decoder is at the next.

use std::collections::BTreeMap;

use fedval_disclosure::SiteLocal;
use fedval_inference::LoadError;
use fedval_ingest::{Case, DecodeFailure, IndexTest, PacsError, ReceivedImage};
use fedval_study::Sha256Digest;
use fedval_vault::{CaseOutcome, Checkpoint};
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::judge::{Judge, Judged};
use crate::purity::Pass;
use crate::reader::Reader;
use crate::scorer::{MODEL_RETRIES, Scorer};

/// Images that wait for the model: one, so that a lane never holds more than three.
const WAITING_IMAGES: usize = 1;

/// Why a lane cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaneError {
    /// The model cannot be loaded.
    #[error("the model cannot be loaded")]
    Load(#[from] LoadError),
    /// The model's box ended again and again on one case.
    #[error("the model's box ended {MODEL_RETRIES} times after its first try on one case")]
    ModelDies(#[source] fedval_inference::ScoreError),
    /// Nothing can be decoded on this machine.
    #[error("images cannot be decoded on this machine")]
    Machine(#[source] DecodeFailure),
    /// No image can be fetched.
    #[error("the PACS cannot be asked")]
    Pacs(#[source] PacsError),
}

/// A case with its place in the manifest, why it was looked at, and what became of it.
pub(crate) struct Done {
    pub(crate) index: usize,
    pub(crate) pass: Pass,
    pub(crate) checkpoint: SiteLocal<Checkpoint>,
}

/// A case that is to be looked at.
pub(crate) struct Due {
    pub(crate) index: usize,
    pub(crate) pass: Pass,
    pub(crate) case: Case,
}

/// A case whose image was looked at.
pub(crate) struct Read {
    index: usize,
    pass: Pass,
    row: Sha256Digest,
    /// Digest of the image file; absent where it could not be read.
    pub(crate) digest: Option<Sha256Digest>,
    pub(crate) image: Result<SiteLocal<ReceivedImage>, CaseOutcome>,
    /// The file of the reference standard's mask, where there is one beside the image.
    outline: Option<Vec<u8>>,
}

/// A decoder and a model, and who judges what it gives.
pub(crate) struct Lane<'e> {
    pub(crate) reader: Reader<'e>,
    pub(crate) scorer: Scorer<'e>,
    pub(crate) judge: Judge<'e>,
}

impl Lane<'_> {
    /// Evaluates `cases` until there is none left, or nobody records them any more.
    pub(crate) async fn run(
        self,
        cases: impl Iterator<Item = Due>,
        done: Sender<Done>,
    ) -> Result<(), LaneError> {
        let (read, waiting) = mpsc::channel(WAITING_IMAGES);
        let both = futures_util::future::try_join(
            read_all(self.reader, cases, read),
            score_all(self.scorer, self.judge, waiting, done),
        );
        both.await.map(drop)
    }
}

/// Hands on what is read. A failure waits until it is known to be the case's own: one that is the PACS's
/// ends the lane, and the case is looked at again in another run.
async fn read_all(
    mut reader: Reader<'_>,
    cases: impl Iterator<Item = Due>,
    read: Sender<Read>,
) -> Result<(), LaneError> {
    let mut held = Vec::new();
    for Due { index, pass, case } in cases {
        let (mut digest, mut image) = reader.read(&case).await?;
        let is_known = image.is_ok() || !reader.is_in_doubt();
        let mut outline = None;
        if image.is_ok() {
            match reader.outline(&case).await {
                Ok(None) => {}
                Ok(Some((file, own))) => {
                    let both = digest.map(|image| format!("{image} {own}"));
                    digest = both.map(|both| Sha256Digest::of(both.as_bytes()));
                    outline = Some(file);
                }
                Err(none) => (digest, image) = (None, Err(none.outcome())),
            }
        }
        held.push(Read { index, pass, row: row_digest(&case), digest, image, outline });
        if is_known && !hand_on(&read, &mut held).await {
            return Ok(());
        }
    }
    // Too few to tell: had the PACS given out nothing, the cases that are looked at again, which come
    // last, would have ended the lane.
    hand_on(&read, &mut held).await;
    Ok(())
}

/// Whether anybody still takes them.
async fn hand_on(read: &Sender<Read>, held: &mut Vec<Read>) -> bool {
    for case in held.drain(..) {
        if read.send(case).await.is_err() {
            return false;
        }
    }
    true
}

async fn score_all(
    mut scorer: Scorer<'_>,
    mut judge: Judge<'_>,
    mut waiting: Receiver<Read>,
    done: Sender<Done>,
) -> Result<(), LaneError> {
    while let Some(case) = waiting.recv().await {
        let (index, pass) = (case.index, case.pass);
        let checkpoint = checkpoint(&mut scorer, &mut judge, case).await?;
        if done.send(Done { index, pass, checkpoint }).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn checkpoint(
    scorer: &mut Scorer<'_>,
    judge: &mut Judge<'_>,
    case: Read,
) -> Result<SiteLocal<Checkpoint>, LaneError> {
    let Read { row, digest: image, outline, .. } = case;
    let row = scorer.marked(row);
    match case.image {
        Ok(decoded) => {
            let answer = scorer.answer(&decoded.open_on_site().tensor()).await?;
            let judged = Judged {
                answer: answer.as_ref().map(SiteLocal::open_on_site),
                frame: decoded.open_on_site().frame(),
                outline: outline.as_deref(),
            };
            let outcome = judge.outcome(&judged).await?;
            Ok(decoded.map(|decoded| Checkpoint {
                row,
                outcome,
                attributes: decoded.into_attributes(),
                image,
            }))
        }
        Err(outcome) => {
            Ok(SiteLocal::new(Checkpoint { row, outcome, attributes: BTreeMap::new(), image }))
        }
    }
}

/// What a checkpoint belongs to.
pub(crate) fn row_digest(case: &Case) -> Sha256Digest {
    let (image, score) = match &case.index_test {
        IndexTest::Image(image) => (Some(image), None),
        // What stands for an image's header was kept with it.
        IndexTest::Score(score) => (None, Some((score, &case.attributes))),
        IndexTest::Instance(name) => {
            let name = (name.key(), name.value());
            let row = format!("{:?}", (&case.case_id, case.patient, case.reference, name));
            return Sha256Digest::of(row.as_bytes());
        }
        IndexTest::Findings(status) => {
            let row = (&case.case_id, case.patient, status, &case.attributes);
            return Sha256Digest::of(format!("{row:?}").as_bytes());
        }
        IndexTest::Masks { reference, predicted } => {
            let row = (&case.case_id, case.patient, reference, predicted, &case.attributes);
            return Sha256Digest::of(format!("{row:?}").as_bytes());
        }
        IndexTest::Scores(scores) => {
            let row = (&case.case_id, case.patient, case.reference, scores, &case.attributes);
            return Sha256Digest::of(format!("{row:?}").as_bytes());
        }
        IndexTest::Outlined { image, reference } => {
            let row = (&case.case_id, case.patient, named(image), reference, &case.attributes);
            return Sha256Digest::of(format!("{row:?}").as_bytes());
        }
        IndexTest::Searched { image, status } => {
            let row = (&case.case_id, case.patient, named(image), status, &case.attributes);
            return Sha256Digest::of(format!("{row:?}").as_bytes());
        }
    };
    let row = format!("{:?}", (&case.case_id, case.patient, case.reference, image, score));
    Sha256Digest::of(row.as_bytes())
}

/// What an image is found by, so that no two different ones look alike.
fn named(image: &IndexTest) -> String {
    match image {
        IndexTest::Image(path) => format!("{:?}", (path,)),
        IndexTest::Instance(name) => format!("{:?}", (name.key(), name.value())),
        // Nothing else is an image.
        _ => String::new(),
    }
}
