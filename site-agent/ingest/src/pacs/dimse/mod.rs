//! DIMSE, for a PACS without web services: C-FIND finds, C-GET or C-MOVE fetches (PS3.4, C).
//!
//! An association serves one question and is then released. The association layer alone is read in
//! this process; a data set that comes is bytes until it is in the decoder's box.

mod association;
mod command;
mod conversation;
mod door;
mod element;
mod inbox;
mod query;
mod retrieve;
mod storage;
mod syntaxes;
mod title;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use dicom_dictionary_std::uids::{
    IMPLICIT_VR_LITTLE_ENDIAN, STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_FIND as FIND,
    STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_GET as GET,
    STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_MOVE as MOVE,
};
use dicom_ul::pdu::{RequestorRoles, UserVariableItem};
use tokio::select;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::address::host_and_port;
use super::attempt::Trouble;
use super::dialer::{Dialer, Stream};
use super::find::Place;
use super::question::Question;
use super::results::Found;
use super::{Pacs, PacsError, PacsLimits, tls};
use association::{Association, Offer};
pub use conversation::{DimsePart, dimse_conversation};
use door::Door;
use inbox::Inbox;
use title::{Title, Titles};

/// How an instance comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DimseRetrieval {
    /// By C-GET, over the association over which it was asked for.
    Get,
    /// By C-MOVE, over an association that the PACS opens.
    Move {
        /// Address of this machine at which the agent listens while it waits for an instance.
        listen: SocketAddr,
        /// Title by which the PACS knows that address.
        destination: String,
    },
}

/// Where a PACS is, how it is trusted, and how it is asked by DIMSE.
#[derive(Clone)]
pub struct DimseSettings {
    /// Where it listens for associations: `HOST:PORT`.
    pub address: String,
    /// The PACS's own title.
    pub called_title: String,
    /// The agent's title.
    pub calling_title: String,
    /// How an instance comes.
    pub retrieval: DimseRetrieval,
    /// Speaks without TLS, in both directions.
    pub without_tls: bool,
    /// Certificates in PEM that may certify the PACS.
    pub authorities: Vec<u8>,
    /// The agent's own certificates and their key in PEM, where the PACS asks for them. C-MOVE with TLS
    /// needs them.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// Only instances of this modality (0008,0060) are images of a case, such as `DX`. Default: any
    /// modality that has images.
    pub modality: Option<String>,
    /// How gently it is asked. Each question and each retrieval is a request.
    pub limits: PacsLimits,
}

impl fmt::Debug for DimseSettings {
    /// Names the type only: addresses and secrets do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DimseSettings(..)")
    }
}

/// A PACS's association services.
pub(super) struct Dimse {
    dialer: Dialer,
    titles: Titles,
    retrieval: Retrieval,
}

enum Retrieval {
    Get,
    Move(Destination),
}

/// Where C-MOVE has instances sent.
struct Destination {
    listen: SocketAddr,
    title: Title,
    door: Option<Door>,
    /// There is one address to listen at, and so one retrieval at a time.
    alone: Mutex<()>,
}

impl Dimse {
    pub(super) fn new(settings: &DimseSettings) -> Result<Self, PacsError> {
        let (host, port) = host_and_port(&settings.address)?;
        let own = Title::parse(&settings.calling_title)?;
        let titles = Titles { own, pacs: Title::parse(&settings.called_title)? };
        let (authorities, identity) = (&settings.authorities, settings.identity.as_ref());
        let speaks_tls = !settings.without_tls;
        let outward = speaks_tls.then(|| tls::client(authorities, identity)).transpose()?;
        let retrieval = match &settings.retrieval {
            DimseRetrieval::Get => Retrieval::Get,
            DimseRetrieval::Move { listen, destination } => {
                let door = speaks_tls.then(|| Door::new(&host, authorities, identity));
                Retrieval::Move(Destination {
                    listen: *listen,
                    title: Title::parse(destination)?,
                    door: door.transpose()?,
                    alone: Mutex::new(()),
                })
            }
        };
        Ok(Self { dialer: Dialer::to(&host, port, outward)?, titles, retrieval })
    }

    /// Whether an instance that the PACS sends could arrive here.
    pub(super) async fn check_arrival(&self) -> Result<(), PacsError> {
        match &self.retrieval {
            Retrieval::Get => Ok(()),
            Retrieval::Move(destination) => {
                let _alone = destination.alone.lock().await;
                inbox::listener(destination.listen).await.map(drop)
            }
        }
    }

    /// The class of the service by which instances come.
    const fn service(&self) -> &'static str {
        match self.retrieval {
            Retrieval::Get => GET,
            Retrieval::Move(_) => MOVE,
        }
    }

    async fn find(
        &self,
        stream: Box<dyn Stream>,
        question: Question<'_>,
        most: usize,
    ) -> Result<Vec<Found>, Trouble> {
        // What finds and does not give is of no use: that is told before a case is asked for.
        let services = [FIND, self.service()];
        let offers = services.map(|class| Offer::of(class, &[IMPLICIT_VR_LITTLE_ENDIAN]));
        // A level is asked for without those above it (PS3.4, C.5.1.1).
        let relational =
            UserVariableItem::SopClassExtendedNegotiationSubItem(FIND.to_owned(), vec![1]);
        let about = vec![relational];
        let mut association = Association::request(stream, &self.titles, &offers, about).await?;
        let answer = match association.context_of(self.service()) {
            Ok(_) => query::ask(&mut association, question, most).await,
            Err(trouble) => Err(trouble),
        };
        match answer {
            Ok(answer) if answer.is_whole => {
                association.release().await;
                Ok(answer.found)
            }
            Ok(answer) => {
                association.abort().await;
                Ok(answer.found)
            }
            Err(trouble) => {
                association.abort().await;
                Err(trouble)
            }
        }
    }

    async fn get(
        &self,
        stream: Box<dyn Stream>,
        place: &Place,
        most: u64,
    ) -> Result<Vec<u8>, Trouble> {
        let storage = syntaxes::offers(place.class());
        // The PACS stores here, over an association that it did not open (PS3.7, D.3.3.4).
        let mut about: Vec<UserVariableItem> = Vec::new();
        for offer in &storage {
            let roles = RequestorRoles { scu: false, scp: true };
            let item = UserVariableItem::ScuScpRoleSelectionSubItem(offer.class.clone(), roles);
            if !about.contains(&item) {
                about.push(item);
            }
        }
        let ask = Offer::of(GET, &[IMPLICIT_VR_LITTLE_ENDIAN]);
        let offers: Vec<Offer> = std::iter::once(ask).chain(storage).collect();
        let mut association = Association::request(stream, &self.titles, &offers, about).await?;
        let file = retrieve::get(&mut association, place, most).await;
        match &file {
            Ok(_) => association.release().await,
            Err(_) => association.abort().await,
        }
        file
    }

    async fn have_moved(
        &self,
        stream: Box<dyn Stream>,
        place: &Place,
        destination: &Destination,
        most: u64,
    ) -> Result<Vec<u8>, Trouble> {
        let from = self.dialer.addresses().await?;
        let listener = inbox::listener(destination.listen).await?;
        let titles = Titles { own: destination.title.clone(), pacs: self.titles.pacs.clone() };
        let (place, door) = (Arc::new(place.clone()), destination.door.clone());
        let inbox = Arc::new(Inbox::new(Arc::clone(&place), most, titles, &from, door));
        let status = select! {
            status = self.ask_to_move(stream, &place, &destination.title) => status?,
            // It serves for as long as it is awaited.
            () = Arc::clone(&inbox).serve(listener) => return Err(Trouble::Broken),
        };
        let file = match inbox.open() {
            // Why the PACS did not bring it, the PACS says, and not what somebody else brought.
            Err(_) if status != command::SUCCESS => None,
            file => file?,
        };
        retrieve::outcome(status, file)
    }

    async fn ask_to_move(
        &self,
        stream: Box<dyn Stream>,
        place: &Place,
        destination: &Title,
    ) -> Result<u16, Trouble> {
        let offers = [Offer::of(MOVE, &[IMPLICIT_VR_LITTLE_ENDIAN])];
        let mut association =
            Association::request(stream, &self.titles, &offers, Vec::new()).await?;
        let status = retrieve::move_to(&mut association, place, destination).await;
        match &status {
            Ok(_) => association.release().await,
            Err(_) => association.abort().await,
        }
        status
    }
}

impl Pacs {
    /// One question, once.
    pub(super) async fn query(
        &self,
        dimse: &Dimse,
        question: Question<'_>,
        most: usize,
    ) -> Result<Vec<Found>, Trouble> {
        let _turn = self.pace.turn().await;
        let stream = dimse.dialer.dial().await?;
        let found = timeout(self.patience(), dimse.find(stream, question, most)).await;
        found.unwrap_or(Err(Trouble::Broken))
    }

    /// One instance as a file, once.
    pub(super) async fn retrieve(&self, dimse: &Dimse, place: &Place) -> Result<Vec<u8>, Trouble> {
        let most = self.limits.max_instance_bytes;
        let file = match &dimse.retrieval {
            Retrieval::Get => {
                let _turn = self.pace.turn().await;
                let stream = dimse.dialer.dial().await?;
                timeout(self.patience(), dimse.get(stream, place, most)).await
            }
            Retrieval::Move(destination) => {
                let _alone = destination.alone.lock().await;
                let _turn = self.pace.turn().await;
                let stream = dimse.dialer.dial().await?;
                let moved = dimse.have_moved(stream, place, destination, most);
                timeout(self.patience(), moved).await
            }
        };
        file.unwrap_or(Err(Trouble::Broken))
    }
}
