//! What a command answered in JSON.

use std::path::PathBuf;

use serde_json::Value;

use crate::error::DemoError;

/// An answer, with the command that gave it.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    value: Value,
    command: String,
    log: PathBuf,
}

impl Answer {
    pub(super) const fn new(value: Value, command: String, log: PathBuf) -> Self {
        Self { value, command, log }
    }

    /// The text at a JSON pointer (RFC 6901).
    pub(super) fn text(&self, pointer: &str) -> Result<String, DemoError> {
        let text = self.value.pointer(pointer).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| self.missing(pointer))
    }

    /// The list at a JSON pointer, each entry an answer of its own.
    pub(super) fn list(&self, pointer: &str) -> Result<Vec<Self>, DemoError> {
        let list = self.value.pointer(pointer).and_then(Value::as_array);
        let entry = |value: &Value| Self { value: value.clone(), ..self.clone() };
        list.map(|list| list.iter().map(entry).collect()).ok_or_else(|| self.missing(pointer))
    }

    fn missing(&self, pointer: &str) -> DemoError {
        DemoError::Answer {
            command: self.command.clone(),
            missing: format!("nothing fitting stands at {pointer}"),
            log: self.log.clone(),
        }
    }
}
