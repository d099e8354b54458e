//! Everything wrong with a draft, at once.

use std::fmt;

use fedval_ambient::Problem;

/// One thing wrong with a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftProblem {
    /// Line of the file, from 1.
    pub line: usize,
    /// Where in the document, such as `operating_points[0].threshold`.
    pub path: String,
    /// What is wrong, one clause.
    pub what: String,
    /// What to write instead.
    pub remedy: String,
}

/// A draft is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftError {
    /// Every problem, in order of lines.
    pub problems: Vec<DraftProblem>,
}

impl fmt::Display for DraftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(f, "the study has {count} problem{}", if count == 1 { "" } else { "s" })?;
        for problem in &self.problems {
            write!(f, "\n  line {}: {}: {}", problem.line, problem.path, problem.what)?;
            write!(f, "\n      {}", problem.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for DraftError {}

impl Problem for DraftError {
    fn code(&self) -> &'static str {
        "STUDY_INVALID"
    }

    fn remedy(&self) -> Option<String> {
        Some("correct the lines above, then run the same command again".to_owned())
    }
}
