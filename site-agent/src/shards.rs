//! An evaluation that is split among processes of this site, each started by the site: an Indexed Job of Kubernetes, or by
//! hand.
//!
//! The agent writes down what is to be done in a folder of its own; each process evaluates its patients and leaves their
//! checkpoints there; the agent brings them into its vault and goes on as if it had done all by itself. No process speaks to
//! anybody or releases anything, and none opens the vault, which processes on several machines could not share.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedval_ambient::{Exit, Failure};
use fedval_study::{BuildDigest, LockedProtocol, RoundId, StudyId};
use fedval_vault::{Job, ShardCases, Vault};
use serde::{Deserialize, Serialize};

use crate::home::{Home, read, write};

/// What a process is asked to do.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// The job.
    pub(crate) round: RoundId,
    /// Among how many processes it is split.
    pub(crate) of: u32,
    /// The agent's executable, which the answer names: no other one evaluates a case of it. None in orders of earlier releases.
    #[serde(default)]
    build: Option<BuildDigest>,
    /// Canonical bytes of the locked protocol, in Base64.
    protocol: String,
    /// The site's secret, in Base64: it draws who evaluates which patient. In a folder with the same rights as the vault's.
    secret: String,
}

impl Order {
    /// The order to split a job.
    pub(crate) fn new(job: &Job, of: u32, secret: &[u8; 32], build: BuildDigest) -> Self {
        Self {
            round: job.round().clone(),
            of,
            build: Some(build),
            protocol: STANDARD.encode(&job.protocol),
            secret: STANDARD.encode(secret),
        }
    }

    /// The protocol; `None` where the order is not what the agent wrote.
    pub(crate) fn protocol(&self) -> Option<LockedProtocol> {
        LockedProtocol::parse(&STANDARD.decode(&self.protocol).ok()?).ok()
    }

    /// Refuses an executable that is not the agent's.
    pub(crate) fn check_build(&self, own: BuildDigest) -> Result<(), Failure> {
        if self.build == Some(own) {
            return Ok(());
        }
        Err(Failure::new(
            Exit::AnswerIsNo,
            "SHARD_BUILD",
            "this program is not the one that the agent runs, and its scores would go by the agent's name",
            "start the shard with the agent's own executable or image; after an update restart the agent first",
        ))
    }

    /// Whether a process that was asked one may go on with the other.
    fn is_same(&self, other: &Self) -> bool {
        self.round == other.round
            && self.of == other.of
            && self.build == other.build
            && self.protocol == other.protocol
    }

    /// The site's secret; `None` where the order is not what the agent wrote.
    pub(crate) fn secret(&self) -> Option<[u8; 32]> {
        STANDARD.decode(&self.secret).ok()?.try_into().ok()
    }
}

/// The order for a study's job, where the agent waits for one.
pub(crate) fn order_of(home: &Home, study: &StudyId) -> Result<Order, Failure> {
    for folder in folders(home)? {
        let Some(order) = order_in(&folder)? else { continue };
        if order.protocol().is_some_and(|locked| locked.protocol().id == *study) {
            return Ok(order);
        }
    }
    Err(Failure::new(
        Exit::AnswerIsNo,
        "SHARDS_NOT_ASKED",
        format!("no job of the study `{study}` waits for shards"),
        "approve the job and let the agent run; its data source must have `shards`",
    ))
}

/// Whether a process that was given an order still has something to do: the job was not declined, cancelled or answered, nor is it
/// split in another way by now.
pub(crate) fn is_asked(home: &Home, order: &Order) -> bool {
    let known = order_in(&home.shards(&order.round));
    known.is_ok_and(|known| known.is_some_and(|known| known.is_same(order)))
}

/// The file in which one process keeps its cases. Where a job is split anew, a process of the old split that still runs completes
/// none of the new.
pub(crate) fn cases_file(home: &Home, order: &Order, index: u32) -> PathBuf {
    home.shards(&order.round).join(format!("{index}-of-{}.cases", order.of))
}

/// Writes down what is to be done, unless it stands there. What processes of this release left that were asked otherwise is in the
/// vault then.
pub(crate) async fn ask(home: &Home, vault: &Vault, order: &Order) -> Result<(), Failure> {
    let folder = home.shards(&order.round);
    let text = serde_json::to_string(order).map_err(|_| damaged())?;
    match order_in(&folder)? {
        Some(known) if known.is_same(order) => return Ok(()),
        Some(known) => {
            // What another release of the agent found is not this one's.
            if known.build == order.build {
                bring(vault, &order.round, &folder).await?;
            }
            remove(&folder)?;
        }
        None => {}
    }
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.map_err(|error| Failure::disk("create the folder", &folder, &error))?;
    write(&order_file(&folder), &text)
}

/// Whether every process has done all of its cases.
pub(crate) fn are_complete(home: &Home, order: &Order) -> bool {
    (0..order.of).all(|index| ShardCases::is_complete(&cases_file(home, order, index)))
}

/// Whether what processes left is in the vault, and nobody is asked again.
pub(crate) fn are_gathered(home: &Home, round: &RoundId) -> bool {
    gathered_file(&home.shards(round)).exists()
}

/// Brings what processes left into the vault, where any was asked, and asks nobody any more.
pub(crate) async fn gather(home: &Home, vault: &Vault, round: &RoundId) -> Result<(), Failure> {
    let folder = home.shards(round);
    if !folder.exists() {
        return Ok(());
    }
    bring(vault, round, &folder).await?;
    // All of it is in the vault, on the disk.
    write(&gathered_file(&folder), "")?;
    clear(home, round)
}

/// Removes what is left of a job whose cases are in the vault, also where that was cut off in its middle. With the order goes the
/// secret, before everything else.
pub(crate) fn clear(home: &Home, round: &RoundId) -> Result<(), Failure> {
    let folder = home.shards(round);
    let gathered = gathered_file(&folder);
    let left = files(&folder)?.into_iter().filter(|file| *file != gathered);
    secrets(&folder).into_iter().chain(left).try_for_each(|file| remove_file(&file))
}

async fn bring(vault: &Vault, round: &RoundId, folder: &Path) -> Result<(), Failure> {
    for file in files(folder)?.iter().filter(|file| file.extension().is_some_and(|e| e == "cases"))
    {
        let mut cases = ShardCases::open(file)?;
        loop {
            let piece = cases.next_piece()?;
            if piece.is_empty() {
                break;
            }
            let rows = piece.iter().map(|(place, checkpoint)| (*place, checkpoint));
            vault.checkpoint_put_all(round, rows).await?;
        }
    }
    Ok(())
}

/// Takes away what was asked for jobs that are not among those evaluated: their processes end.
pub(crate) fn forget_others<'r>(
    home: &Home,
    evaluated: impl Iterator<Item = &'r RoundId>,
) -> Result<(), Failure> {
    let folders = folders(home)?;
    if folders.is_empty() {
        return Ok(());
    }
    let kept: Vec<PathBuf> = evaluated.map(|round| home.shards(round)).collect();
    folders.iter().filter(|folder| !kept.contains(folder)).try_for_each(|folder| forget(folder))
}

/// Takes away a folder, the secret before everything else. Where a process still writes there, the rest goes at the next look.
fn forget(folder: &Path) -> Result<(), Failure> {
    secrets(folder).iter().try_for_each(|file| remove_file(file))?;
    match fs::remove_dir_all(folder) {
        Err(error) if !is_gone_or_held(error.kind()) => {
            Err(Failure::disk("remove", folder, &error))
        }
        _ => Ok(()),
    }
}

/// Whether a folder that was not removed is not there, or is held by a process that has not yet seen that nobody asks it any more:
/// on a network share its open files stay under other names.
const fn is_gone_or_held(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty | ErrorKind::ResourceBusy)
}

fn folders(home: &Home) -> Result<Vec<PathBuf>, Failure> {
    files(&home.all_shards())
}

/// What lies in a folder, in the order of names; nothing where it is not there.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    match list() {
        Ok(mut files) => {
            files.sort();
            Ok(files)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::disk("list", folder, &error)),
    }
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::disk("remove", folder, &error))
        }
        _ => Ok(()),
    }
}

fn remove_file(file: &Path) -> Result<(), Failure> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::disk("remove", file, &error))
        }
        _ => Ok(()),
    }
}

fn order_file(folder: &Path) -> PathBuf {
    folder.join("order.json")
}

/// The files that hold the secret: the order, and what it is written to first.
fn secrets(folder: &Path) -> [PathBuf; 2] {
    let order = order_file(folder);
    let written_first = order.with_extension("new");
    [order, written_first]
}

fn gathered_file(folder: &Path) -> PathBuf {
    folder.join("gathered")
}

fn order_in(folder: &Path) -> Result<Option<Order>, Failure> {
    let file = order_file(folder);
    if !file.exists() {
        return Ok(None);
    }
    serde_json::from_str(&read(&file)?).map(Some).map_err(|_| damaged())
}

fn damaged() -> Failure {
    Failure::new(
        Exit::Machine,
        "SHARD_ORDER_DAMAGED",
        "the order to split an evaluation is not what the agent wrote",
        "remove the folder `shards` of the agent's folder; the agent writes the order again",
    )
}

#[cfg(test)]
mod tests {
    use fedval_ambient::{Clock as _, MockClock};
    use fedval_disclosure::SiteLocal;
    use fedval_study::{Dispatch, ModelDigest, ProtocolDigest, Sha256Digest};
    use fedval_vault::{CaseOutcome, Checkpoint, NewJob, ShardFile};

    use super::*;

    async fn vault_with_job(folder: &Path) -> (Vault, Job) {
        let vault = Vault::open(&folder.join("vault.db")).await.unwrap();
        let digest = Sha256Digest::of(b"any");
        let dispatch = Dispatch {
            study: "chest".parse().unwrap(),
            protocol_version: 1,
            round: "chest-r1".parse().unwrap(),
            site: "site-a".parse().unwrap(),
            protocol: ProtocolDigest(digest),
            protocol_bytes: 3,
            model: ModelDigest(digest),
            model_bytes: 3,
            issued_at_ms: 0,
            nonce: digest,
        };
        let job = NewJob { dispatch, protocol: b"any".to_vec() };
        vault.job_insert(&job, MockClock::default().now()).await.unwrap();
        let job = vault.job_list().await.unwrap().remove(0);
        (vault, job)
    }

    fn order(job: &Job, of: u32) -> Order {
        Order::new(job, of, &[7; 32], BuildDigest(Sha256Digest::of(b"agent")))
    }

    fn leave(home: &Home, order: &Order, index: u32, place: usize) {
        let file = ShardFile::open(&cases_file(home, order, index)).unwrap();
        let checkpoint = SiteLocal::new(Checkpoint {
            row: Sha256Digest::of(b"row"),
            outcome: CaseOutcome::Score(place as u64),
            attributes: [].into(),
            image: None,
        });
        file.append([(place, &checkpoint)]).unwrap();
        file.complete().unwrap();
    }

    async fn places(vault: &Vault, job: &Job) -> Vec<usize> {
        let list = vault.checkpoint_list(job.round()).await.unwrap();
        list.open_on_site().keys().copied().collect()
    }

    #[tokio::test]
    async fn what_was_left_is_brought_in_also_by_those_who_were_asked_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let (home, (vault, job)) = (Home::new(folder.path()), vault_with_job(folder.path()).await);
        let round = job.round();
        let in_two = order(&job, 2);
        ask(&home, &vault, &in_two).await.unwrap();
        assert!(is_asked(&home, &in_two) && in_two.secret() == Some([7; 32]));
        leave(&home, &in_two, 0, 4);
        ask(&home, &vault, &in_two).await.unwrap();
        assert!(!are_complete(&home, &in_two) && places(&vault, &job).await.is_empty());

        let in_three = order(&job, 3);
        ask(&home, &vault, &in_three).await.unwrap();
        assert_eq!(places(&vault, &job).await, [4]);
        assert!(!is_asked(&home, &in_two) && is_asked(&home, &in_three));
        // A process of the old split that has not yet looked is at its end.
        leave(&home, &in_two, 0, 4);
        for index in 0..3 {
            assert!(!are_complete(&home, &in_three), "{index} is missing");
            leave(&home, &in_three, index, 10 + index as usize);
        }
        assert!(are_complete(&home, &in_three) && !are_gathered(&home, round));
        gather(&home, &vault, round).await.unwrap();
        assert_eq!(places(&vault, &job).await, [4, 10, 11, 12]);
        assert!(are_gathered(&home, round) && !is_asked(&home, &in_three));
        assert_eq!(files(&home.shards(round)).unwrap(), [gathered_file(&home.shards(round))]);
    }

    #[tokio::test]
    async fn another_release_of_the_agent_contributes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (home, (vault, job)) = (Home::new(folder.path()), vault_with_job(folder.path()).await);
        let [old, new] = [&b"old"[..], b"new"].map(|build| BuildDigest(Sha256Digest::of(build)));
        let [before, after] = [old, new].map(|build| Order::new(&job, 2, &[7; 32], build));
        ask(&home, &vault, &before).await.unwrap();
        leave(&home, &before, 0, 4);
        let asked = order_of_round(&home, &before);
        assert!(asked.check_build(old).is_ok());
        assert_eq!(asked.check_build(new).unwrap_err().code, "SHARD_BUILD");
        // The agent was updated: what is done by then is done again.
        ask(&home, &vault, &after).await.unwrap();
        assert!(!is_asked(&home, &before) && is_asked(&home, &after));
        assert!(!cases_file(&home, &before, 0).exists() && places(&vault, &job).await.is_empty());
        // An order of a release that named no build is read, and is nobody's.
        let mut nameless: serde_json::Value = serde_json::to_value(&after).unwrap();
        nameless.as_object_mut().unwrap().remove("build").unwrap();
        write(&order_file(&home.shards(job.round())), &nameless.to_string()).unwrap();
        assert!(order_of_round(&home, &after).check_build(new).is_err());
        ask(&home, &vault, &after).await.unwrap();
        assert!(is_asked(&home, &after));
    }

    /// What stands in the folder of the round of `order`.
    fn order_of_round(home: &Home, order: &Order) -> Order {
        order_in(&home.shards(&order.round)).unwrap().unwrap()
    }

    #[tokio::test]
    async fn the_secret_goes_also_where_that_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let (home, (vault, job)) = (Home::new(folder.path()), vault_with_job(folder.path()).await);
        let round = job.round();
        let alone = order(&job, 1);
        ask(&home, &vault, &alone).await.unwrap();
        leave(&home, &alone, 0, 4);
        let shards = home.shards(round);
        // The agent ended between the mark and the removal, and earlier in the middle of writing an order.
        write(&gathered_file(&shards), "").unwrap();
        fs::write(shards.join("order.new"), "{").unwrap();
        clear(&home, round).unwrap();
        assert_eq!(files(&shards).unwrap(), [gathered_file(&shards)]);
        // Nothing is left to remove, and nothing is made.
        clear(&home, round).unwrap();
        clear(&home, &"other-r1".parse().unwrap()).unwrap();
        assert!(!home.shards(&"other-r1".parse().unwrap()).exists());
    }

    #[test]
    fn a_folder_that_a_process_still_writes_to_does_not_end_the_agent() {
        for kind in [ErrorKind::NotFound, ErrorKind::DirectoryNotEmpty, ErrorKind::ResourceBusy] {
            assert!(is_gone_or_held(kind), "{kind}");
        }
        assert!(!is_gone_or_held(ErrorKind::PermissionDenied));
    }

    #[tokio::test]
    async fn without_a_job_nothing_is_kept_and_nobody_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let (home, (vault, job)) = (Home::new(folder.path()), vault_with_job(folder.path()).await);
        let refused = order_of(&home, &job.dispatch.study).err().unwrap();
        assert_eq!(refused.code, "SHARDS_NOT_ASKED");
        // Nobody was asked, and nothing is made.
        gather(&home, &vault, job.round()).await.unwrap();
        assert!(!home.all_shards().exists());
        let in_two = order(&job, 2);
        ask(&home, &vault, &in_two).await.unwrap();
        forget_others(&home, [job.round()].into_iter()).unwrap();
        assert!(is_asked(&home, &in_two));
        forget_others(&home, std::iter::empty()).unwrap();
        assert!(!is_asked(&home, &in_two) && !home.shards(job.round()).exists());
    }
}
