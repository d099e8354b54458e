//! DIMSE, for a PACS without web services: C-FIND finds, C-GET or C-MOVE fetches (PS3.4, C).
//!
//! An association serves one question and is then released. The association layer alone is read in
//! this process; a data set that comes is bytes until it is in the decoder's box.

mod arrivals;
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
use super::{CaseFault, Pacs, PacsError, PacsLimits, Spool, tls};
use arrivals::{Arrivals, Shelf};
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

    /// Has what is awaited sent; returns the last status.
    async fn have_sent(
        &self,
        stream: Box<dyn Stream>,
        arrivals: &Arc<Arrivals>,
    ) -> Result<u16, Trouble> {
        match &self.retrieval {
            Retrieval::Get => self.get(stream, arrivals).await,
            Retrieval::Move(destination) => self.have_moved(stream, arrivals, destination).await,
        }
    }

    async fn get(&self, stream: Box<dyn Stream>, arrivals: &Arrivals) -> Result<u16, Trouble> {
        let storage = syntaxes::offers(&arrivals.classes());
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
        let status = retrieve::get(&mut association, arrivals).await;
        match &status {
            Ok(_) => association.release().await,
            Err(_) => association.abort().await,
        }
        status
    }

    async fn have_moved(
        &self,
        stream: Box<dyn Stream>,
        arrivals: &Arc<Arrivals>,
        destination: &Destination,
    ) -> Result<u16, Trouble> {
        let from = self.dialer.addresses().await?;
        let listener = inbox::listener(destination.listen).await?;
        let titles = Titles { own: destination.title.clone(), pacs: self.titles.pacs.clone() };
        let door = destination.door.clone();
        let inbox = Arc::new(Inbox::new(Arc::clone(arrivals), titles, &from, door));
        select! {
            status = self.ask_to_move(stream, arrivals, &destination.title) => status,
            // It serves for as long as it is awaited.
            () = inbox.serve(listener) => Err(Trouble::Broken),
        }
    }

    async fn ask_to_move(
        &self,
        stream: Box<dyn Stream>,
        arrivals: &Arrivals,
        destination: &Title,
    ) -> Result<u16, Trouble> {
        let offers = [Offer::of(MOVE, &[IMPLICIT_VR_LITTLE_ENDIAN])];
        let mut association =
            Association::request(stream, &self.titles, &offers, Vec::new()).await?;
        let status = select! {
            status = retrieve::move_to(&mut association, arrivals, destination) => status,
            error = arrivals.failed() => Err(Trouble::Known(error)),
        };
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
        let arrivals = Arrivals::of_one(place.clone(), self.limits.max_instance_bytes);
        match self.retrieve_all(dimse, arrivals).await? {
            Shelf::One(file) => Ok(file),
            Shelf::Empty | Shelf::Series(_) => Err(CaseFault::AnswerInvalid.into()),
        }
    }

    /// All these instances of one series, by one request, once.
    pub(super) async fn retrieve_series(
        &self,
        dimse: &Dimse,
        places: &[Place],
    ) -> Result<Spool, Trouble> {
        let most = (self.limits.max_instance_bytes, self.most_series_bytes());
        let arrivals = Arrivals::of_series(places.to_vec(), most, self.spool(places).await?);
        match self.retrieve_all(dimse, arrivals).await? {
            Shelf::Series(files) => Ok(files),
            Shelf::Empty | Shelf::One(_) => Err(CaseFault::AnswerInvalid.into()),
        }
    }

    async fn retrieve_all(&self, dimse: &Dimse, arrivals: Arrivals) -> Result<Shelf, Trouble> {
        let _alone = match &dimse.retrieval {
            Retrieval::Get => None,
            Retrieval::Move(destination) => Some(destination.alone.lock().await),
        };
        let _turn = self.pace.turn().await;
        let (arrivals, stream) = (Arc::new(arrivals), dimse.dialer.dial().await?);
        let status = select! {
            status = dimse.have_sent(stream, &arrivals) => status?,
            trouble = arrivals.overdue(self.patience()) => return Err(trouble),
        };
        retrieve::outcome(status, &arrivals).await
    }
}
