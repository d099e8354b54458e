//! A first look at the file, before anything is made of it.
//!
//! Decoding makes structures of hundreds of bytes from two, and follows lists in lists by calling itself. So
//! the messages of the file are first walked where they lie: nothing is allocated, and the walk goes no
//! deeper than ONNX without bodies, six messages. What decoding takes is then bounded by the file's own
//! size and [`MOST_PARTS_PER_NODE`]. The field numbers are those of onnx.proto.

use crate::exchange::Refusal;

/// Parts that a graph may have for each node that it may have: attributes, names, types, dimensions.
/// Ordinary graphs have about twenty.
const MOST_PARTS_PER_NODE: usize = 64;

/// Longest name, in bytes; those that exporters make are of a few hundred. Descriptions may be longer.
const LONGEST_NAME: usize = 4096;

/// A message of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    OperatorSet,
    Graph,
    Node,
    Attribute,
    Tensor,
    Segment,
    Entry,
    Annotation,
    Value,
    Type,
    TensorType,
    Shape,
    Dimension,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// Numbers, or text of any length: as large when it is decoded as in the file, or eight times that.
    Plain,
    Name,
    Part(Message),
    /// A part that is counted with the graph's nodes.
    Node(Message),
    Refused(Refusal),
}

/// Nothing of the rest is ever decoded.
fn field(message: Message, number: u64) -> Field {
    use Field::{Name, Node, Part, Plain, Refused};
    match (message, number) {
        // Training graphs are never run here; functions are operators of the model's own making.
        (Message::Model, 20 | 25)
        // Sparse tensors.
        | (Message::Graph, 15)
        // A graph is a body to be run, control flow by another name (6, 11); types as values (14, 15); sparse
        // tensors (22, 23).
        | (Message::Attribute, 6 | 11 | 14 | 15 | 22 | 23)
        // Strings as numbers; sequences, maps, opaque, sparse and optional values.
        | (Message::Tensor, 6)
        | (Message::Type, 4 | 5 | 7 | 8 | 9) => Refused(Refusal::Operator),
        (Message::Graph, 1) => Node(Message::Node),
        (Message::Graph, 5) => Node(Message::Tensor),
        (Message::Graph, 11 | 12) => Node(Message::Value),
        (Message::Model, 7) => Part(Message::Graph),
        (Message::Model, 8) => Part(Message::OperatorSet),
        (Message::Model, 14) | (Message::Tensor, 13) | (Message::Annotation, 2) => {
            Part(Message::Entry)
        }
        (Message::Graph, 13) => Part(Message::Value),
        (Message::Graph, 14) => Part(Message::Annotation),
        (Message::Node, 5) => Part(Message::Attribute),
        (Message::Attribute, 5 | 10) => Part(Message::Tensor),
        (Message::Tensor, 3) => Part(Message::Segment),
        (Message::Value, 2) => Part(Message::Type),
        (Message::Type, 1) => Part(Message::TensorType),
        (Message::TensorType, 2) => Part(Message::Shape),
        (Message::Shape, 1) => Part(Message::Dimension),
        (Message::Model, 2..=4)
        | (Message::Graph, 2)
        | (Message::Node, 1..=4 | 7 | 8)
        | (Message::Attribute, 1 | 4 | 9 | 21)
        | (Message::Tensor, 8)
        | (Message::Value | Message::OperatorSet | Message::Annotation | Message::Entry, 1)
        | (Message::Type, 6)
        | (Message::Dimension, 2 | 3) => Name,
        _ => Plain,
    }
}

/// Counts what the file would be decoded to.
struct Tally {
    nodes: usize,
    parts: usize,
}

impl Tally {
    fn take(left: &mut usize) -> Result<(), Refusal> {
        *left = left.checked_sub(1).ok_or(Refusal::TooLarge)?;
        Ok(())
    }
}

/// Walks a model of at most `max_nodes` nodes, stored tensors, inputs and outputs together.
pub(super) fn check(model: &[u8], max_nodes: usize) -> Result<(), Refusal> {
    let parts = max_nodes.saturating_mul(MOST_PARTS_PER_NODE);
    walk(Message::Model, model, &mut Tally { nodes: max_nodes, parts })
}

fn walk(message: Message, mut bytes: &[u8], left: &mut Tally) -> Result<(), Refusal> {
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let field = field(message, key >> 3);
        if let Field::Refused(refusal) = field {
            return Err(refusal);
        }
        let content = match key & 7 {
            0 => varint(&mut bytes).map(|_| None)?,
            1 => take(&mut bytes, 8).map(|_| None)?,
            2 => {
                let length = varint(&mut bytes)?;
                Some(take(&mut bytes, usize::try_from(length).map_err(|_| Refusal::NotOnnx)?)?)
            }
            5 => take(&mut bytes, 4).map(|_| None)?,
            // Groups, which the format never had, are lists in lists.
            _ => return Err(Refusal::NotOnnx),
        };
        match (field, content) {
            (Field::Plain | Field::Refused(_), _) => {}
            (_, None) => return Err(Refusal::NotOnnx),
            (Field::Name, Some(name)) => {
                Tally::take(&mut left.parts)?;
                if name.len() > LONGEST_NAME {
                    return Err(Refusal::TooLarge);
                }
            }
            (Field::Part(part), Some(content)) => {
                Tally::take(&mut left.parts)?;
                walk(part, content, left)?;
            }
            (Field::Node(part), Some(content)) => {
                Tally::take(&mut left.nodes)?;
                walk(part, content, left)?;
            }
        }
    }
    Ok(())
}

fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Result<&'b [u8], Refusal> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(Refusal::NotOnnx)?;
    *bytes = rest;
    Ok(taken)
}

/// Seven bits a byte, the lowest first, while the eighth is set.
fn varint(bytes: &mut &[u8]) -> Result<u64, Refusal> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Refusal::NotOnnx)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Refusal::NotOnnx)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, ValueInfoProto};

    use super::*;

    const NODES: usize = 10;

    fn model(graph: GraphProto) -> Vec<u8> {
        ModelProto { graph: Some(graph), ir_version: 8, ..ModelProto::default() }.encode_to_vec()
    }

    fn nodes(count: usize) -> GraphProto {
        GraphProto { node: vec![NodeProto::default(); count], ..GraphProto::default() }
    }

    #[test]
    fn nodes_parts_and_names_are_counted_before_anything_is_made_of_them() {
        assert_eq!(check(&model(nodes(NODES)), NODES), Ok(()));
        assert_eq!(check(&model(nodes(NODES + 1)), NODES), Err(Refusal::TooLarge));
        // Two graphs are one: the decoder lays them together.
        let twice = [model(nodes(NODES)), model(nodes(1))].concat();
        assert_eq!(check(&twice, NODES), Err(Refusal::TooLarge));
        let named = |bytes| {
            let input = vec!["n".repeat(bytes)];
            model(GraphProto {
                node: vec![NodeProto { input, ..NodeProto::default() }],
                ..GraphProto::default()
            })
        };
        assert_eq!(check(&named(LONGEST_NAME), NODES), Ok(()));
        assert_eq!(check(&named(LONGEST_NAME + 1), NODES), Err(Refusal::TooLarge));
        let known = |count| {
            let value_info = vec![ValueInfoProto::default(); count];
            model(GraphProto { value_info, ..GraphProto::default() })
        };
        // The graph is a part itself.
        assert_eq!(check(&known(NODES * MOST_PARTS_PER_NODE - 1), NODES), Ok(()));
        assert_eq!(check(&known(NODES * MOST_PARTS_PER_NODE), NODES), Err(Refusal::TooLarge));
    }

    #[test]
    fn what_can_nest_is_refused_where_it_begins() {
        let attribute = |attribute| {
            let node = NodeProto { attribute: vec![attribute], ..NodeProto::default() };
            model(GraphProto { node: vec![node], ..GraphProto::default() })
        };
        let empty = GraphProto::default;
        for body in [
            AttributeProto { g: Some(empty()), ..AttributeProto::default() },
            AttributeProto { graphs: vec![empty()], ..AttributeProto::default() },
        ] {
            assert_eq!(check(&attribute(body), NODES), Err(Refusal::Operator));
        }
        // A sequence as an output's type, and functions; a group of an unknown field.
        let sequence = [7 << 3 | 2, 6, 12 << 3 | 2, 4, 2 << 3 | 2, 2, 4 << 3 | 2, 0];
        assert_eq!(check(&sequence, NODES), Err(Refusal::Operator));
        assert_eq!(check(&[25 << 3 | 2 | 0x80, 1, 0], NODES), Err(Refusal::Operator));
        assert_eq!(check(&[9 << 3 | 3; 400], NODES), Err(Refusal::NotOnnx));
    }

    #[test]
    fn what_ends_early_or_has_another_form_is_no_model() {
        let whole = model(nodes(3));
        for end in [1, 3, whole.len() - 1] {
            assert_eq!(check(&whole[..end], NODES), Err(Refusal::NotOnnx), "{end}");
        }
        // A graph that is a number; a length beyond everything; a number without end.
        for odd in [&[7 << 3, 1][..], &[7 << 3 | 2, 0xff, 0xff, 0xff, 0xff, 0x7f], &[0xff; 11]] {
            assert_eq!(check(odd, NODES), Err(Refusal::NotOnnx));
        }
        // Decoding says the rest: an unknown field is not looked at.
        assert_eq!(check(&[30 << 3 | 2 | 0x80, 1, 1, 0xff], NODES), Ok(()));
    }
}
