//! One oracle case.

use serde_json::Value;

/// The only form of cases that is read.
const SCHEMA: &str = "oracle/1";

/// A text that is no oracle case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// It is not JSON.
    #[error("it is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON of another form.
    #[error("it is not a case of the form {SCHEMA}: its `{field}` is missing or of another kind")]
    OtherForm {
        /// The first field that is not as it should be.
        field: &'static str,
    },
}

/// An input, what other software made of it, and how far this engine may differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its id.
    pub id: String,
    /// What is estimated; decides which functions of the engine are called.
    pub topic: String,
    /// What is special about it, for a person.
    pub title: String,
    /// What made `expected`: names and versions.
    pub tool: String,
    pub(crate) input: Value,
    pub(crate) expected: Value,
    pub(crate) tolerance: Value,
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    ///
    /// [`CaseError`]; whether the input fits its topic shows only when it is used.
    pub fn parse(text: &str) -> Result<Self, CaseError> {
        let case: Value = serde_json::from_str(text).map_err(CaseError::NotJson)?;
        let text = |field: &'static str| {
            let text = case[field].as_str().map(str::to_owned);
            text.ok_or(CaseError::OtherForm { field })
        };
        let part = |field: &'static str| {
            let part = Some(case[field].clone()).filter(Value::is_object);
            part.ok_or(CaseError::OtherForm { field })
        };
        if text("schema")? != SCHEMA {
            return Err(CaseError::OtherForm { field: "schema" });
        }
        Ok(Self {
            id: text("id")?,
            topic: text("topic")?,
            title: text("title")?,
            tool: tool(&case["tool"]),
            input: part("input")?,
            expected: part("expected")?,
            tolerance: part("tolerance")?,
        })
    }
}

/// `name version, name version`; empty where the case does not say.
fn tool(tool: &Value) -> String {
    let list = |key: &str| tool[key].as_array().cloned().unwrap_or_default();
    let named: Vec<String> = list("name")
        .iter()
        .zip(list("version"))
        .filter_map(|(name, version)| Some(format!("{} {}", name.as_str()?, version.as_str()?)))
        .collect();
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"schema": "oracle/1", "id": "a", "topic": "t", "title": "A", "input": {},
        "tool": {"name": ["R", "pROC"], "version": ["4.5", "1.19"]}, "expected": {}, "tolerance": {}}"#;

    #[test]
    fn a_case_is_read_with_its_tools() {
        assert_eq!(Case::parse(WHOLE).unwrap().tool, "R 4.5, pROC 1.19");
    }

    #[test]
    fn what_is_missing_is_named() {
        for field in ["schema", "id", "topic", "title", "input", "expected", "tolerance"] {
            let without = WHOLE.replace(&format!("\"{field}\""), "\"other\"");
            let refused = Case::parse(&without).unwrap_err().to_string();
            assert!(refused.contains(&format!("`{field}`")), "{refused}");
        }
        assert!(matches!(Case::parse("{"), Err(CaseError::NotJson(_))));
    }
}
