//! Everything that is wrong with a file, found in one pass.

use std::fmt;

use fedval_ambient::Problem;

/// Most problems that are kept one by one.
const SHOWN: usize = 50;

/// Problems in the order in which they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProblemList<P> {
    problems: Vec<P>,
    /// Those beyond the ones that are kept.
    more: u64,
}

impl<P> Default for ProblemList<P> {
    fn default() -> Self {
        Self { problems: Vec::new(), more: 0 }
    }
}

impl<P> From<P> for ProblemList<P> {
    fn from(problem: P) -> Self {
        Self { problems: vec![problem], more: 0 }
    }
}

impl<P> ProblemList<P> {
    pub(crate) fn add(&mut self, problem: P) {
        if self.problems.len() < SHOWN {
            self.problems.push(problem);
        } else {
            self.more += 1;
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// `value` where nothing was found.
    pub(crate) fn or<T, E: From<Self>>(self, value: T) -> Result<T, E> {
        if self.problems.is_empty() { Ok(value) } else { Err(self.into()) }
    }

    pub(crate) fn problems(&self) -> &[P] {
        &self.problems
    }

    pub(crate) const fn more(&self) -> u64 {
        self.more
    }
}

impl<P: Problem> ProblemList<P> {
    /// The only problem, or how many `what` has: `the manifest has`.
    pub(crate) fn write(&self, f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
        match (self.problems.as_slice(), self.more) {
            ([only], 0) => fmt::Display::fmt(only, f),
            (problems, more) => write!(f, "{what} {} problems", problems.len() as u64 + more),
        }
    }

    /// Each problem in a line of its own, with what to do about it.
    pub(crate) fn remedy(&self) -> String {
        let mut lines: Vec<String> = self
            .problems
            .iter()
            .map(|p| format!("{p} ({}): {}", p.code(), p.remedy().unwrap_or_default()))
            .collect();
        if self.more > 0 {
            lines.push(format!("and {} more", self.more));
        }
        lines.join("\n")
    }
}
