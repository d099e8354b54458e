//! The contract as it is compiled: what can be written in a message that leaves a site, and that
//! published fields stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto,
};

/// Whatever a site sends is inside one of these.
const SENT_BY_SITES: [&str; 8] = [
    "AgentEvent",
    "CheckRequest",
    "CosignRequest",
    "DownloadRequest",
    "EnrolRequest",
    "ExtendRequest",
    "RenewRequest",
    "SubmitResultRequest",
];

/// The only bytes a site can send: digests, signatures, nonces of its process, a token, a signing
/// request.
const BYTES: [&str; 18] = [
    "CosignRequest.root",
    "CosignRequest.signature",
    "DownloadRequest.digest",
    "EnrolRequest.certificate_signing_request",
    "EnrolRequest.invitation",
    "EnrolRequest.token",
    "Hello.agent_build",
    "Hello.instance",
    "Hello.previous_instance",
    "ProbeDigest.digest",
    "ResultHeader.agent_build",
    "ResultHeader.cohort",
    "ResultHeader.model",
    "ResultHeader.policy",
    "ResultHeader.protocol",
    "SubmitResultRequest.ledger_head",
    "SubmitResultRequest.ledger_signature",
    "SubmitResultRequest.signature",
];

/// The only strings a site can send: identifiers of a fixed character set.
const STRINGS: [&str; 20] = [
    "CoarseCell.category",
    "CoarseCell.dimension",
    "CoarsePoint.name",
    "ConditionCell.name",
    "ConditionSubgroup.category",
    "ConditionSubgroup.dimension",
    "DetectionCell.category",
    "DetectionCell.dimension",
    "DetectionPoint.name",
    "MeasureCell.category",
    "MeasureCell.dimension",
    "NoisyCell.category",
    "NoisyCell.dimension",
    "OperatingPointCounts.name",
    "PhaseChange.round",
    "ResultHeader.round",
    "ResultHeader.site",
    "ResultHeader.study",
    "SubgroupCell.category",
    "SubgroupCell.dimension",
];

/// Every line of the contract that was published.
const PUBLISHED: &str = include_str!("contract.txt");

/// The compiled contract by name.
struct Contract {
    messages: BTreeMap<String, DescriptorProto>,
    enums: BTreeMap<String, EnumDescriptorProto>,
    services: Vec<ServiceDescriptorProto>,
}

impl Contract {
    fn read() -> Self {
        let set = FileDescriptorSet::decode(fedval_proto::DESCRIPTORS).expect("it was compiled");
        let mut contract =
            Self { messages: BTreeMap::new(), enums: BTreeMap::new(), services: Vec::new() };
        for file in set.file {
            assert_eq!(file.package(), "fedval.v1", "{}", file.name());
            for message in file.message_type {
                assert!(
                    message.nested_type.is_empty() && message.enum_type.is_empty(),
                    "{} holds a map or an inner type",
                    message.name()
                );
                contract.messages.insert(message.name().to_owned(), message);
            }
            contract.enums.extend(file.enum_type.into_iter().map(|e| (e.name().to_owned(), e)));
            contract.services.extend(file.service);
        }
        contract
    }

    /// Requests of every service but the operators'.
    fn requests_of_sites(&self) -> BTreeSet<&str> {
        let services = self.services.iter().filter(|s| s.name() != "OperatorService");
        services.flat_map(|service| &service.method).map(|m| short(m.input_type())).collect()
    }

    /// Every field of every message that a site's request can hold, as `Message.field`.
    fn fields_sent_by_sites(&self) -> Vec<(String, &FieldDescriptorProto)> {
        let mut waiting: Vec<&str> = SENT_BY_SITES.to_vec();
        let mut seen: BTreeSet<&str> = waiting.iter().copied().collect();
        let mut fields = Vec::new();
        while let Some(name) = waiting.pop() {
            for field in &self.messages[name].field {
                fields.push((format!("{name}.{}", field.name()), field));
                if field.r#type() == Type::Message && seen.insert(short(field.type_name())) {
                    waiting.push(short(field.type_name()));
                }
            }
        }
        fields
    }

    fn of_type(&self, wanted: Type) -> BTreeSet<String> {
        let fields = self.fields_sent_by_sites().into_iter();
        fields.filter(|(_, field)| field.r#type() == wanted).map(|(name, _)| name).collect()
    }

    /// One line for each field, value and call.
    fn lines(&self) -> BTreeSet<String> {
        let fields = self
            .messages
            .values()
            .flat_map(|message| message.field.iter().map(|field| field_line(message, field)));
        let empty = self.messages.values().filter(|message| message.field.is_empty());
        let empty = empty.map(|message| format!("message {}", message.name()));
        let values = self.enums.values().flat_map(|e| {
            e.value.iter().map(|v| format!("enum {} {} = {}", e.name(), v.name(), v.number()))
        });
        let calls = self.services.iter().flat_map(call_lines);
        fields.chain(empty).chain(values).chain(calls).collect()
    }
}

/// A type's name within the package; a type of another package is not known to the contract.
fn short(type_name: &str) -> &str {
    type_name.strip_prefix(".fedval.v1.").unwrap_or(type_name)
}

fn field_line(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let kind = match field.r#type() {
        Type::Message | Type::Enum => short(field.type_name()).to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    };
    let repeated = if field.label() == Label::Repeated { "repeated " } else { "" };
    let group = field.oneof_index.and_then(|index| usize::try_from(index).ok());
    let group = group.map(|index| format!(" in {}", message.oneof_decl[index].name()));
    let group = group.unwrap_or_default();
    format!(
        "message {} {repeated}{kind} {} = {}{group}",
        message.name(),
        field.name(),
        field.number()
    )
}

fn call_lines(service: &ServiceDescriptorProto) -> Vec<String> {
    let stream = |is_stream| if is_stream { "stream " } else { "" };
    let line = |method: &prost_types::MethodDescriptorProto| {
        format!(
            "service {} {}({}{}) returns ({}{})",
            service.name(),
            method.name(),
            stream(method.client_streaming()),
            short(method.input_type()),
            stream(method.server_streaming()),
            short(method.output_type())
        )
    };
    service.method.iter().map(line).collect()
}

#[test]
fn sites_send_six_kinds_of_message() {
    assert_eq!(Contract::read().requests_of_sites(), BTreeSet::from(SENT_BY_SITES));
}

#[test]
fn nothing_a_site_sends_holds_a_float_a_map_or_an_untyped_payload() {
    let contract = Contract::read();
    let fields = contract.fields_sent_by_sites();
    assert!(fields.len() > 60, "the walk stopped early: {} fields", fields.len());
    for (name, field) in fields {
        let kind = field.r#type();
        assert!(!matches!(kind, Type::Float | Type::Double | Type::Group), "{name} is {kind:?}");
        let known = contract.messages.contains_key(short(field.type_name()))
            || contract.enums.contains_key(short(field.type_name()));
        assert_eq!(
            known,
            matches!(kind, Type::Message | Type::Enum),
            "{name} is of a foreign type {}",
            field.type_name()
        );
    }
}

#[test]
fn the_only_bytes_a_site_sends_are_digests_a_signature_and_its_enrolment() {
    let expected: BTreeSet<String> = BYTES.map(str::to_owned).into();
    assert_eq!(Contract::read().of_type(Type::Bytes), expected);
}

#[test]
fn the_only_strings_a_site_sends_are_identifiers() {
    let expected: BTreeSet<String> = STRINGS.map(str::to_owned).into();
    assert_eq!(Contract::read().of_type(Type::String), expected);
}

#[test]
fn every_enumeration_starts_with_unspecified() {
    let contract = Contract::read();
    assert!(contract.enums.len() > 5);
    for (name, values) in contract.enums {
        let first = values.value.first().expect("protobuf wants one value");
        assert_eq!(first.number(), 0, "{name}");
        let prefix = first.name().strip_suffix("_UNSPECIFIED").unwrap_or_default();
        assert_eq!(prefix.replace('_', ""), name.to_uppercase(), "{name} begins otherwise");
    }
}

#[test]
fn what_was_published_is_never_changed_or_removed() {
    let lines = Contract::read().lines();
    let gone: Vec<_> = PUBLISHED.lines().filter(|line| !lines.contains(*line)).collect();
    assert!(gone.is_empty(), "agents in the field rely on these lines: {gone:#?}");
}

#[test]
fn what_is_new_is_written_down_as_published() {
    let published: BTreeSet<&str> = PUBLISHED.lines().collect();
    let lines = Contract::read().lines();
    let new: Vec<_> = lines.iter().filter(|line| !published.contains(line.as_str())).collect();
    assert!(
        new.is_empty(),
        "add to tests/contract.txt:\n{}",
        new.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n")
    );
}
