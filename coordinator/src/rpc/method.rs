//! Every method that is served, with what must be known of it before its message is read.

use std::time::Duration;

/// Who may send a message at all. Who may do what is decided by the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Whoever gets through the handshake.
    Anyone,
    /// Whoever shows a certificate of the consortium.
    Certified,
}

/// How much of this machine a call may take while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Small messages.
    Light,
    /// Messages of megabytes, or bytes read ahead for a slow reader.
    Heavy,
}

/// One method.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// With its package, as in the path.
    package: &'static str,
    /// The service's name.
    pub(crate) service: &'static str,
    /// The method's name.
    pub(crate) name: &'static str,
    /// Who may send a message.
    pub(crate) callers: Callers,
    /// What it may take.
    pub(crate) weight: Weight,
    /// Until its answer begins; a stream then lasts as long as it lasts.
    pub(crate) answers_within: Option<Duration>,
    /// Whether messages stream in either direction.
    pub(crate) streams: bool,
}

const OURS: &str = "fedval.v1";
const QUICK: Option<Duration> = Some(Duration::from_secs(30));
/// Four MiB through a slow line.
const UPLOAD: Option<Duration> = Some(Duration::from_mins(5));
/// Statistics over every site.
const REPORT: Option<Duration> = Some(Duration::from_mins(15));

const fn operator(name: &'static str) -> Method {
    Method { name, service: "OperatorService", ..QUICKLY }
}

const QUICKLY: Method = Method {
    package: OURS,
    service: "",
    name: "",
    callers: Callers::Certified,
    weight: Weight::Light,
    answers_within: QUICK,
    streams: false,
};

const HEALTH: Method =
    Method { package: "grpc.health.v1", service: "Health", callers: Callers::Anyone, ..QUICKLY };

static METHODS: [Method; 30] = [
    Method {
        service: "ArtifactService",
        name: "Download",
        weight: Weight::Heavy,
        streams: true,
        ..QUICKLY
    },
    Method { service: "CertificateService", name: "Check", ..QUICKLY },
    Method { service: "CertificateService", name: "Renew", ..QUICKLY },
    Method { service: "EnrolmentService", name: "Enrol", callers: Callers::Anyone, ..QUICKLY },
    Method { service: "LogService", name: "Cosign", ..QUICKLY },
    Method { service: "LogService", name: "Extend", ..QUICKLY },
    operator("AdmitPerson"),
    Method { answers_within: REPORT, streams: true, ..operator("BuildReport") },
    operator("ChangePassword"),
    Method { answers_within: REPORT, ..operator("CloseStudy") },
    // As long as a model of gigabytes takes; the caller is a person who waits.
    Method { answers_within: None, streams: true, ..operator("CreateStudy") },
    operator("DismissPerson"),
    operator("DispatchStudy"),
    operator("FetchProtocol"),
    operator("InviteSite"),
    operator("IssuePassword"),
    operator("ListPeople"),
    operator("ListSites"),
    operator("ListStudies"),
    operator("LockStudy"),
    operator("RevokeSite"),
    operator("ShareStudy"),
    Method { answers_within: REPORT, ..operator("SignReport") },
    operator("StudyStatus"),
    operator("UnshareStudy"),
    Method {
        service: "ResultService",
        name: "SubmitResult",
        weight: Weight::Heavy,
        answers_within: UPLOAD,
        ..QUICKLY
    },
    Method { service: "WorkService", name: "Work", streams: true, ..QUICKLY },
    Method { name: "Check", ..HEALTH },
    Method { name: "Watch", streams: true, ..HEALTH },
    Method {
        package: "grpc.reflection.v1",
        service: "ServerReflection",
        name: "ServerReflectionInfo",
        streams: true,
        ..QUICKLY
    },
];

static UNKNOWN: Method = Method { service: "unknown", name: "unknown", ..QUICKLY };

/// The method of a request's path.
pub(crate) fn of(path: &str) -> &'static Method {
    let mut parts = path.strip_prefix('/').unwrap_or(path).splitn(2, '/');
    let (service, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (package, service) = service.rsplit_once('.').unwrap_or_default();
    METHODS
        .iter()
        .find(|method| (method.package, method.service, method.name) == (package, service, name))
        .unwrap_or(&UNKNOWN)
}

/// Every service of the contract, with its package.
pub(crate) fn services() -> impl Iterator<Item = String> {
    let mut names: Vec<_> =
        METHODS.iter().map(|method| format!("{}.{}", method.package, method.service)).collect();
    names.dedup();
    names.into_iter()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;

    fn described(descriptors: &[u8]) -> BTreeMap<String, bool> {
        let set = FileDescriptorSet::decode(descriptors).unwrap();
        let mut methods = BTreeMap::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    methods.insert(path, method.client_streaming() || method.server_streaming());
                }
            }
        }
        methods
    }

    #[test]
    fn the_table_is_the_contract_and_knows_what_streams() {
        let mut contract = described(fedval_proto::DESCRIPTORS);
        contract.extend(described(tonic_health::pb::FILE_DESCRIPTOR_SET));
        contract.extend(described(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET));
        let table = METHODS.iter().map(|method| {
            (format!("/{}.{}/{}", method.package, method.service, method.name), method.streams)
        });
        assert_eq!(table.collect::<BTreeMap<_, _>>(), contract);
        for (path, _) in contract {
            assert_ne!(of(&path), &UNKNOWN, "{path}");
        }
    }

    #[test]
    fn a_path_that_is_no_method_needs_a_certificate() {
        for path in ["", "/", "/fedval.v1.EnrolmentService", "/EnrolmentService/Enrol", "//x/y"] {
            assert_eq!(of(path), &UNKNOWN, "{path}");
        }
        assert_eq!(UNKNOWN.callers, Callers::Certified);
    }

    #[test]
    fn only_enrolment_and_health_hear_callers_without_a_certificate() {
        let open = METHODS.iter().filter(|method| method.callers == Callers::Anyone);
        let open: Vec<_> = open.map(|method| (method.service, method.name)).collect();
        assert_eq!(open, [("EnrolmentService", "Enrol"), ("Health", "Check"), ("Health", "Watch")]);
    }
}
