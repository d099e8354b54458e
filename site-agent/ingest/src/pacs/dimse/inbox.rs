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
use tokio::net::{TcpListener, TcpStream};
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

    async fn receive(&self, stream: TcpStream) {
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

    async fn converse(&self, association: &mut Association) -> Result<(), Trouble> {
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
