//! Cases, and how the engine did.

use serde_json::{Value, json};

use crate::case::Case;
use crate::compare::{Comparison, Difference, compare};
use crate::input::{Input, Malformed};
use crate::topic;

/// What became of one case.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// Every number within its tolerance.
    Passed,
    /// At least one is not.
    Failed,
    /// The engine has no such topic.
    Unsupported,
    /// The input is not what the topic needs.
    Malformed(Malformed),
}

impl Outcome {
    /// One word for it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Unsupported => "unsupported",
            Self::Malformed(_) => "malformed",
        }
    }
}

/// One case and what the engine made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Qualified {
    /// Its id.
    pub id: String,
    /// Its topic.
    pub topic: String,
    /// What made the expected numbers.
    pub tool: String,
    /// How it went.
    pub outcome: Outcome,
    /// The number that differs most, measured in its tolerance; `None` where no number was compared.
    pub worst: Option<Difference>,
    /// What the engine gave, in the shape of the case.
    pub result: Value,
}

/// All cases of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Qualification {
    /// In the order in which they were given.
    pub cases: Vec<Qualified>,
}

/// Runs one case through the engine.
#[must_use]
pub fn qualify(case: &Case) -> Qualified {
    let (outcome, worst, result) = match topic::answer(&case.topic, &Input::new(&case.input)) {
        None => (Outcome::Unsupported, None, Value::Null),
        Some(Err(malformed)) => (Outcome::Malformed(malformed), None, Value::Null),
        Some(Ok(result)) => {
            let Comparison { is_within, worst } = compare(&case.expected, &result, &case.tolerance);
            (if is_within { Outcome::Passed } else { Outcome::Failed }, worst, result)
        }
    };
    let (id, topic, tool) = (case.id.clone(), case.topic.clone(), case.tool.clone());
    Qualified { id, topic, tool, outcome, worst, result }
}

impl Qualification {
    /// How many cases ended so.
    #[must_use]
    pub fn count(&self, word: &str) -> usize {
        self.cases.iter().filter(|case| case.outcome.as_str() == word).count()
    }

    /// Whether every case passed.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.cases.iter().all(|case| case.outcome == Outcome::Passed)
    }

    /// As scripts read it. A malformed case counts as failed.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let worst = |worst: &Difference| {
            json!({"path": worst.path, "expected": worst.expected, "got": worst.got,
                   "in_tolerances": worst.in_tolerances})
        };
        let case = |case: &Qualified| {
            json!({
                "id": case.id,
                "topic": case.topic,
                "passed": case.outcome == Outcome::Passed,
                "outcome": case.outcome.as_str(),
                "worst": case.worst.as_ref().map(worst),
                "result": case.result,
            })
        };
        json!({
            "cases": self.cases.iter().map(case).collect::<Vec<_>>(),
            "passed": self.count("passed"),
            "failed": self.count("failed") + self.count("malformed"),
            "unsupported": self.count("unsupported"),
        })
    }
}
