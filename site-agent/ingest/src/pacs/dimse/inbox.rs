//! Where images arrive that C-MOVE has the PACS send: a listener that is there for one retrieval.
//!
//! It takes associations from the PACS's own addresses, between the two titles of the configuration,
//! and of what they bring the instances that were asked for. Everybody else finds a closed door.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use dicom_ul::Pdu;
use dicom_ul::pdu::{
    AssociationAC, AssociationRJ, AssociationRJResult, AssociationRJServiceUserReason as Reason,
    AssociationRJSource, AssociationRQ, PresentationContextProposed, PresentationContextResult,
    PresentationContextResultReason as Verdict,
};
use tokio::net::TcpListener;
use tokio::select;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::arrivals::Arrivals;
use super::association::{APPLICATION_CONTEXT, Association, Context, own_variables};
use super::door::Door;
use super::syntaxes;
use super::title::Titles;
use crate::pacs::attempt::Trouble;
use crate::pacs::dialer::Stream;
use crate::pacs::{CaseFault, PacsError};

/// Associations beside each other: of the PACS, one is enough.
const MOST_GUESTS: usize = 4;
/// How long a guest may take to shake hands, and then to say what it comes for: who says nothing would else keep the door
/// from the PACS.
const PATIENCE: Duration = Duration::from_secs(10);
/// Tries at a port that another retrieval of this agent may hold at the moment, and the wait between.
const MOST_TRIES: u32 = 8;
const BETWEEN: Duration = Duration::from_millis(250);

/// Who may bring what.
pub(super) struct Inbox {
    arrivals: Arc<Arrivals>,
    /// `own` is the title to which the PACS was asked to send.
    titles: Titles,
    from: Vec<IpAddr>,
    door: Option<Door>,
}

/// Listens at an address of this machine.
pub(super) async fn listener(address: SocketAddr) -> Result<TcpListener, PacsError> {
    for _ in 0..MOST_TRIES {
        if let Ok(listener) = TcpListener::bind(address).await {
            return Ok(listener);
        }
        sleep(BETWEEN).await;
    }
    TcpListener::bind(address).await.map_err(|_| PacsError::NotListening)
}

impl Inbox {
    pub(super) fn new(
        arrivals: Arc<Arrivals>,
        titles: Titles,
        from: &[SocketAddr],
        door: Option<Door>,
    ) -> Self {
        Self {
            arrivals,
            titles,
            from: from.iter().map(|address| address.ip().to_canonical()).collect(),
            door,
        }
    }

    /// Takes in what comes, until it is dropped, and everybody who is still there with it.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut guests = JoinSet::new();
        loop {
            select! {
                Some(_) = guests.join_next(), if !guests.is_empty() => {}
                arrived = listener.accept(), if guests.len() < MOST_GUESTS => match arrived {
                    Ok((stream, address)) if self.from.contains(&address.ip().to_canonical()) => {
                        let inbox = Arc::clone(&self);
                        guests.spawn(async move { inbox.receive(stream).await });
                    }
                    Ok(_) => {}
                    Err(_) => sleep(BETWEEN).await,
                },
            }
        }
    }

    async fn receive<S: Stream + 'static>(&self, stream: S) {
        let stream: Box<dyn Stream> = match &self.door {
            None => Box::new(stream),
            Some(door) => match timeout(PATIENCE, door.enter(stream)).await {
                Ok(Some(stream)) => stream,
                Ok(None) | Err(_) => return,
            },
        };
        let mut association = Association::over(stream);
        if self.converse(&mut association).await.is_err() {
            association.abort().await;
        }
    }

    pub(super) async fn converse(&self, association: &mut Association) -> Result<(), Trouble> {
        let first = timeout(PATIENCE, association.receive()).await;
        let Pdu::AssociationRQ(request) = first.unwrap_or(Err(Trouble::Broken))? else {
            return Err(CaseFault::AnswerInvalid.into());
        };
        if let Some(reason) = self.turns_away(&request) {
            let source = AssociationRJSource::ServiceUser(reason);
            let rejected = AssociationRJ { result: AssociationRJResult::Permanent, source };
            return association.send(&Pdu::AssociationRJ(rejected)).await;
        }
        self.accept(association, request).await?;
        while let Some((context, command)) = association.hear().await? {
            self.arrivals.take(association, context, &command).await?;
        }
        Ok(())
    }

    fn turns_away(&self, request: &AssociationRQ) -> Option<Reason> {
        if request.called_ae_title != self.titles.own.as_str() {
            return Some(Reason::CalledAETitleNotRecognized);
        }
        let is_pacs = request.calling_ae_title == self.titles.pacs.as_str();
        (!is_pacs).then_some(Reason::CallingAETitleNotRecognized)
    }

    async fn accept(
        &self,
        association: &mut Association,
        request: AssociationRQ,
    ) -> Result<(), Trouble> {
        let (mut contexts, mut results) = (Vec::new(), Vec::new());
        for proposed in request.presentation_contexts {
            let (verdict, syntax) = self.verdict(&proposed);
            results.push(PresentationContextResult {
                id: proposed.id,
                reason: verdict.clone(),
                transfer_syntax: syntax.clone(),
            });
            if verdict == Verdict::Acceptance {
                let class = proposed.abstract_syntax.trim_end_matches('\0').to_owned();
                contexts.push(Context { id: proposed.id, class, syntax });
            }
        }
        association.agree(contexts, &request.user_variables);
        let accepted = AssociationAC {
            protocol_version: 1,
            calling_ae_title: request.calling_ae_title,
            called_ae_title: request.called_ae_title,
            application_context_name: APPLICATION_CONTEXT.to_owned(),
            presentation_contexts: results,
            user_variables: own_variables().to_vec(),
        };
        association.send(&Pdu::AssociationAC(accepted)).await
    }

    /// Whether what is proposed may come, and in which syntax; where not, the syntax means nothing.
    fn verdict(&self, proposed: &PresentationContextProposed) -> (Verdict, String) {
        let class = proposed.abstract_syntax.trim_end_matches('\0');
        let syntax = syntaxes::first_read(&proposed.transfer_syntaxes);
        let of_nothing = || dicom_dictionary_std::uids::IMPLICIT_VR_LITTLE_ENDIAN.to_owned();
        match syntax {
            _ if !self.arrivals.expects(class) => {
                (Verdict::AbstractSyntaxNotSupported, of_nothing())
            }
            None => (Verdict::TransferSyntaxesNotSupported, of_nothing()),
            Some(syntax) => (Verdict::Acceptance, syntax.trim_end_matches('\0').to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use dicom_dictionary_std::uids::{CT_IMAGE_STORAGE, EXPLICIT_VR_LITTLE_ENDIAN};
    use dicom_ul::write_pdu;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::join;
    use tokio::time::Instant;

    use super::*;
    use crate::pacs::dimse::title::Title;
    use crate::pacs::find::Place;

    const SECOND: Duration = Duration::from_secs(1);
    /// Bytes on their way: more than either side says here.
    const ROOM: usize = 1 << 12;

    fn inbox(door: Option<Door>) -> Inbox {
        let title = |title| Title::parse(title).unwrap();
        let titles = Titles { own: title("ARRIVALS"), pacs: title("PACS") };
        let place = Place::of("1.2", "1.2.3", "1.2.3.4");
        Inbox::new(Arc::new(Arrivals::of_one(place, 1 << 20)), titles, &[], door)
    }

    fn door() -> Door {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let own = own.signed_by(&key, &authority).unwrap().pem();
        let identity = (own.into_bytes(), key.serialize_pem().into_bytes());
        Door::new("localhost", authority.pem().as_bytes(), Some(&identity)).unwrap()
    }

    fn said(pdu: &Pdu) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_pdu(&mut bytes, pdu).unwrap();
        bytes
    }

    /// What the PACS asks for first.
    fn request() -> Vec<u8> {
        said(&Pdu::AssociationRQ(AssociationRQ {
            protocol_version: 1,
            calling_ae_title: "PACS".to_owned(),
            called_ae_title: "ARRIVALS".to_owned(),
            application_context_name: APPLICATION_CONTEXT.to_owned(),
            presentation_contexts: vec![PresentationContextProposed {
                id: 1,
                abstract_syntax: CT_IMAGE_STORAGE.to_owned(),
                transfer_syntaxes: vec![EXPLICIT_VR_LITTLE_ENDIAN.to_owned()],
            }],
            user_variables: own_variables().to_vec(),
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a36_who_says_nothing_is_waited_for_as_long_as_the_patience_lasts() {
        for door in [None, Some(door())] {
            let (here, mut there) = duplex(ROOM);
            let begun = Instant::now();
            inbox(door).receive(here).await;
            assert_eq!(begun.elapsed(), PATIENCE);
            let mut heard = Vec::new();
            there.read_to_end(&mut heard).await.unwrap();
            assert!(heard.len() <= 10, "at most that it is over: {heard:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a36_who_says_a_byte_now_and_then_is_waited_for_no_longer() {
        for door in [None, Some(door())] {
            let (here, mut there) = duplex(ROOM);
            // With TLS a record of its own kind and a length that the bytes fill up.
            let bytes = match door {
                None => request(),
                Some(_) => [&[0x16, 3, 1, 1, 0][..], &[1; 256]].concat(),
            };
            let drip = async {
                for byte in bytes {
                    sleep(SECOND).await;
                    if there.write_u8(byte).await.is_err() {
                        break;
                    }
                }
            };
            let begun = Instant::now();
            let received = async {
                inbox(door).receive(here).await;
                begun.elapsed()
            };
            let (waited, ()) = join!(received, drip);
            assert_eq!(waited, PATIENCE);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_a_while_and_then_says_all_of_it_is_let_in() {
        let (here, mut there) = duplex(ROOM);
        let inbox = inbox(None);
        let pacs = async {
            sleep(PATIENCE.saturating_sub(SECOND)).await;
            there.write_all(&request()).await.unwrap();
            let first = there.read_u8().await.unwrap();
            // It is let in: what it brings may take as long as the retrieval.
            sleep(2 * PATIENCE).await;
            there.write_all(&said(&Pdu::ReleaseRQ)).await.unwrap();
            let mut rest = Vec::new();
            there.read_to_end(&mut rest).await.unwrap();
            (first, rest.ends_with(&said(&Pdu::ReleaseRP)))
        };
        let ((), heard) = join!(inbox.receive(here), pacs);
        assert_eq!(heard, (0x02, true), "an association was accepted, and released");
    }
}
