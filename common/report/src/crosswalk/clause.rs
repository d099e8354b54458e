//! Parts of the locked protocol, which stands beside the report in its package.

/// A part of the protocol that answers what no section prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clause {
    /// The model with its input and output.
    Model,
    /// What the model is fed, and how images are prepared for it.
    Input,
    /// What is read of the model's output.
    Output,
    /// The reference standard with its values.
    ReferenceStandard,
}

impl Clause {
    /// Where it stands in the protocol, key by key.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Input => "model.input",
            Self::Output => "model.output",
            Self::ReferenceStandard => "reference_standard",
        }
    }
}
