//! DC-20: the same question gets the stored answer, never a new computation.
//!
//! Source: DAP (draft-ietf-ppm-dap): a batch is collected at most once.

use fedval_study::{ModelDigest, ProtocolDigest, RoundId};

/// What identifies a question that a site has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The round.
    pub round: RoundId,
    /// The protocol.
    pub protocol: ProtocolDigest,
    /// The model.
    pub model: ModelDigest,
}

/// What to do with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rerun {
    /// Nobody asked this before: compute.
    Compute,
    /// It was answered: the stored bytes stand.
    StoredAnswer,
    /// The round was answered for another protocol or model: refuse.
    Refuse,
}

/// Decides on a question, given the one already answered for its round.
#[must_use]
pub fn decide(answered: Option<&Question>, asked: &Question) -> Rerun {
    match answered {
        None => Rerun::Compute,
        Some(earlier) if earlier == asked => Rerun::StoredAnswer,
        Some(_) => Rerun::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use fedval_study::Sha256Digest;

    use super::*;

    #[test]
    fn a_repeat_returns_what_is_stored_and_a_changed_question_is_refused() {
        let asked = |model: &[u8]| Question {
            round: "s-r1".parse().unwrap(),
            protocol: ProtocolDigest(Sha256Digest::of(b"p")),
            model: ModelDigest(Sha256Digest::of(model)),
        };
        assert_eq!(decide(None, &asked(b"m")), Rerun::Compute);
        assert_eq!(decide(Some(&asked(b"m")), &asked(b"m")), Rerun::StoredAnswer);
        assert_eq!(decide(Some(&asked(b"m")), &asked(b"x")), Rerun::Refuse);
    }
}
