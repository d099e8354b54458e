//! Programs that must not compile. Each stands in `examples/`, and says what is wrong with it.
//!
//! Lines that begin with `//~` say what a compiler has to object to the line below them: the error, and what it
//! writes under the place, if anything. `tests/cases.rs` has the same cargo build them as built everything else, in the
//! same folder and with the same features, so that nothing but the programs themselves is compiled for it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a line begins with that says what is objected to the one below.
const MARK: &str = "//~ ";

/// What is objected to one line of a program, or has to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Objection {
    /// The line, counted from 1; 0 where it is to none.
    pub line: usize,
    /// The error with its code, then what is written under the place.
    pub said: Vec<String>,
}

/// What has to be objected to a program, by its own marks.
#[must_use]
pub fn expected(source: &str) -> Vec<Objection> {
    let (mut objections, mut said) = (Vec::new(), Vec::new());
    // A mark below which there is nothing is one that no compiler agrees with.
    for (line, text) in (1..).zip(source.lines().chain([""])) {
        match text.trim_start().strip_prefix(MARK) {
            Some(words) => said.push(words.to_owned()),
            None if said.is_empty() => {}
            None => objections.push(Objection { line, said: std::mem::take(&mut said) }),
        }
    }
    objections
}

/// What a compiler objected to each program, by its name; `messages` are cargo's, one JSON object a line.
#[must_use]
pub fn objected(messages: &str) -> BTreeMap<String, Vec<Objection>> {
    let mut programs: BTreeMap<String, Vec<Objection>> = BTreeMap::new();
    for line in messages.lines() {
        let Ok(Message::CompilerMessage { target, message }) = serde_json::from_str(line) else {
            continue;
        };
        let is_case = target.kind.iter().any(|kind| kind == "example");
        if is_case && message.is_objection() {
            programs.entry(target.name).or_default().push(message.objection());
        }
    }
    for objections in programs.values_mut() {
        objections.sort();
        objections.dedup();
    }
    programs
}

#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerMessage {
        target: Target,
        message: Diagnostic,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    code: Option<Code>,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    line_start: usize,
    is_primary: bool,
    label: Option<String>,
}

impl Diagnostic {
    /// An error; not that there were some.
    fn is_objection(&self) -> bool {
        self.level == "error" && !self.message.starts_with("aborting due to ")
    }

    fn objection(self) -> Objection {
        let error = match &self.code {
            Some(Code { code }) => format!("error[{code}]: {}", self.message),
            None => format!("error: {}", self.message),
        };
        let place = self.spans.into_iter().find(|span| span.is_primary);
        let line = place.as_ref().map_or(0, |place| place.line_start);
        let label = place.and_then(|place| place.label);
        Objection { line, said: std::iter::once(error).chain(label).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objection(line: usize, said: &[&str]) -> Objection {
        Objection { line, said: said.iter().map(|words| (*words).to_owned()).collect() }
    }

    #[test]
    fn marks_are_about_the_line_below_them() {
        let source = "fn main() {\n    //~ error[E0308]: mismatched types\n    //~ expected `u8`\n    \
                      a();\n    // A remark.\n    b();\n    //~ error: no\n    c();\n}\n";
        let wanted = [
            objection(4, &["error[E0308]: mismatched types", "expected `u8`"]),
            objection(8, &["error: no"]),
        ];
        assert_eq!(expected(source), wanted);
        assert_eq!(expected("fn main() {}\n//~ error: no\n"), [objection(3, &["error: no"])]);
    }

    #[test]
    fn errors_of_programs_are_heard_and_nothing_else() {
        let message = |kind: &str, level: &str, message: &str, code: &str, spans: &str| {
            format!(
                r#"{{"reason":"compiler-message","package_id":"p","target":{{"kind":["{kind}"],"name":"a"}},"#
            ) + &format!(
                r#""message":{{"level":"{level}","message":"{message}","code":{code},"spans":[{spans}]}}}}"#
            )
        };
        let code = r#"{"code":"E0616","explanation":null}"#;
        let spans = r#"{"line_start":3,"is_primary":false,"label":"b"},
            {"line_start":7,"is_primary":true,"label":"private field"}"#;
        let spans = &spans.replace('\n', " ");
        let lines = [
            message("example", "error", "it is private", code, spans),
            message("example", "error", "it is private", code, spans),
            message("example", "error", "it cannot be made", "null", ""),
            message("example", "error", "aborting due to 2 previous errors", "null", ""),
            message("example", "warning", "it is not used", "null", spans),
            message("lib", "error", "it does not compile", "null", spans),
            r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"b"}}"#.to_owned(),
            r#"{"reason":"build-finished","success":false}"#.to_owned(),
        ];
        let wanted = vec![
            objection(0, &["error: it cannot be made"]),
            objection(7, &["error[E0616]: it is private", "private field"]),
        ];
        assert_eq!(objected(&lines.join("\n")), BTreeMap::from([("a".to_owned(), wanted)]));
    }
}
