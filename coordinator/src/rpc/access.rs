//! Which call of the operators' service each role may make: one table, held against the contract by a test.

use fedval_study::PersonRole;
use fedval_study::PersonRole::{Operator, Reviewer, Statistician};

const EVERYBODY: &[PersonRole] = &[Operator, Statistician, Reviewer];
const AUTHORS: &[PersonRole] = &[Operator, Statistician];
const OPERATORS: &[PersonRole] = &[Operator];

/// A call of `fedval.v1.OperatorService`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    AdmitPerson,
    BuildReport,
    ChangePassword,
    CloseStudy,
    CreateStudy,
    DismissPerson,
    DispatchStudy,
    FetchProtocol,
    InviteSite,
    IssuePassword,
    ListPeople,
    ListSites,
    ListStudies,
    LockStudy,
    RevokeSite,
    ShareStudy,
    SignReport,
    StudyStatus,
    UnshareStudy,
}

impl Call {
    /// Who may make it.
    pub(super) const fn allowed(self) -> &'static [PersonRole] {
        match self {
            Self::ListSites
            | Self::ListStudies
            | Self::StudyStatus
            | Self::FetchProtocol
            | Self::BuildReport
            // One's own, and one's own name under a report: neither changes what others see of a study.
            | Self::ChangePassword
            | Self::SignReport => EVERYBODY,
            // Locking needs the sponsor's signature, whoever hands it in.
            Self::CreateStudy | Self::LockStudy => AUTHORS,
            Self::InviteSite
            | Self::RevokeSite
            | Self::DispatchStudy
            | Self::CloseStudy
            | Self::AdmitPerson
            | Self::DismissPerson
            | Self::IssuePassword
            | Self::ShareStudy
            | Self::UnshareStudy
            | Self::ListPeople => OPERATORS,
        }
    }
}
