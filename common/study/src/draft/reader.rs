//! Reads a TOML document field by field, remembering lines, and goes on after a mistake.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::DraftProblem;

/// The problems found so far and the line of every value read.
pub(super) struct Notes<'t> {
    text: &'t str,
    problems: RefCell<Vec<DraftProblem>>,
    lines: RefCell<BTreeMap<String, usize>>,
}

impl<'t> Notes<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, problems: RefCell::default(), lines: RefCell::default() }
    }

    /// Line of a byte offset, from 1.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
    }

    pub(super) fn add(&self, line: usize, path: &str, what: impl Display, remedy: impl Display) {
        self.problems.borrow_mut().push(DraftProblem {
            line,
            path: path.to_owned(),
            what: what.to_string(),
            remedy: remedy.to_string(),
        });
    }

    /// Whether the value at `path`, or one inside it, is already known to be wrong.
    pub(super) fn is_blamed(&self, path: &str) -> bool {
        self.problems.borrow().iter().any(|p| p.path.starts_with(path) || path.starts_with(&p.path))
    }

    /// Line of the value at `path`, or of the nearest value around it.
    pub(super) fn line_at(&self, path: &str) -> usize {
        let lines = self.lines.borrow();
        let mut path = path;
        loop {
            if let Some(line) = lines.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(cut) => path = &path[..cut],
                None => return 1,
            }
        }
    }

    pub(super) fn into_problems(self) -> Vec<DraftProblem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }
}

/// One table of the document. Each getter returns `None` after noting what is wrong.
pub(super) struct Fields<'n, 't, 'd> {
    notes: &'n Notes<'t>,
    table: &'d DeTable<'d>,
    path: String,
    line: usize,
    read: RefCell<BTreeSet<String>>,
}

impl<'n, 't, 'd> Fields<'n, 't, 'd> {
    pub(super) fn root(notes: &'n Notes<'t>, table: &'d DeTable<'d>) -> Self {
        Self { notes, table, path: String::new(), line: 1, read: RefCell::default() }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn find(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.read.borrow_mut().insert(key.to_owned());
        let value = self.table.get(key)?;
        let line = self.notes.line_of(value.span().start);
        self.notes.lines.borrow_mut().insert(self.path_of(key), line);
        Some(value)
    }

    fn require(&self, key: &str, remedy: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        let found = self.find(key);
        if found.is_none() {
            self.notes.add(self.line, &self.path_of(key), "is missing", remedy);
        }
        found
    }

    fn wrong(&self, key: &str, what: &str, remedy: &str) {
        let path = self.path_of(key);
        self.notes.add(self.notes.line_at(&path), &path, what, remedy);
    }

    pub(super) fn text(&self, key: &str, remedy: &str) -> Option<String> {
        match self.require(key, remedy)?.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => {
                self.wrong(key, "is empty", remedy);
                None
            }
            DeValue::String(text) => Some(text.to_string()),
            _ => {
                self.wrong(key, "must be a text in quotes", remedy);
                None
            }
        }
    }

    /// A text that may be left out.
    pub(super) fn text_or_none(&self, key: &str) -> Option<String> {
        if self.has(key) { self.text(key, "write a text or leave it out") } else { None }
    }

    /// A text that parses as `T`.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, key: &str, remedy: &str) -> Option<T> {
        let text = self.text(key, remedy)?;
        text.parse().map_err(|error| self.wrong(key, &format!("`{text}` is {error}"), remedy)).ok()
    }

    pub(super) fn number(&self, key: &str, remedy: &str) -> Option<f64> {
        let number = match self.require(key, remedy)?.get_ref() {
            DeValue::Float(number) => number.as_str().replace('_', "").parse().ok(),
            DeValue::Integer(number) => number.as_str().replace('_', "").parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.wrong(key, "must be a finite number", remedy);
        }
        number
    }

    pub(super) fn number_or(&self, key: &str, default: f64) -> Option<f64> {
        if self.has(key) {
            self.number(key, "give a number or leave it out")
        } else {
            Some(default)
        }
    }

    /// A list of numbers; absent means empty.
    pub(super) fn numbers(&self, key: &str, remedy: &str) -> Vec<f64> {
        let Some(value) = self.find(key) else { return Vec::new() };
        let number = |item: &DeValue<'_>| match item {
            DeValue::Float(number) => number.as_str().replace('_', "").parse().ok(),
            DeValue::Integer(number) => number.as_str().replace('_', "").parse().ok(),
            _ => None,
        };
        let numbers = match value.get_ref() {
            DeValue::Array(items) => {
                items.iter().map(|item| number(item.get_ref())).collect::<Option<Vec<f64>>>()
            }
            _ => None,
        };
        if numbers.is_none() {
            self.wrong(key, "must be a list of numbers", remedy);
        }
        numbers.unwrap_or_default()
    }

    pub(super) fn count(&self, key: &str, remedy: &str) -> Option<u32> {
        let count = match self.require(key, remedy)?.get_ref() {
            DeValue::Integer(number) => number.as_str().replace('_', "").parse().ok(),
            _ => None,
        };
        if count.is_none() {
            self.wrong(key, "must be a whole number from 0 to 4294967295", remedy);
        }
        count
    }

    pub(super) fn count_or(&self, key: &str, default: u32) -> Option<u32> {
        if self.has(key) {
            self.count(key, "give a whole number or leave it out")
        } else {
            Some(default)
        }
    }

    /// One of a closed list of words.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let list: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let remedy = format!("write one of {}", list.join(", "));
        let text = self.text(key, &remedy)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            self.wrong(key, &format!("`{text}` is not known here"), &remedy);
        }
        found
    }

    pub(super) fn word_or<T: Copy>(&self, key: &str, words: &[(&str, T)], default: T) -> Option<T> {
        if self.has(key) { self.word(key, words) } else { Some(default) }
    }

    /// A list of texts that is not empty.
    pub(super) fn texts(&self, key: &str, remedy: &str) -> Option<Vec<String>> {
        let texts = match self.require(key, remedy)?.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .map(|item| match item.get_ref() {
                    DeValue::String(text) => Some(text.to_string()),
                    _ => None,
                })
                .collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let texts = texts.filter(|texts| !texts.is_empty());
        if texts.is_none() {
            self.wrong(key, "must be a list of texts with at least one entry", remedy);
        }
        texts
    }

    pub(super) fn table(&self, key: &str, remedy: &str) -> Option<Fields<'n, 't, 'd>> {
        let value = self.require(key, remedy)?;
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong(key, "must be a table", remedy);
            return None;
        };
        Some(self.inner(table, self.path_of(key), self.notes.line_of(value.span().start)))
    }

    /// A list of tables; absent means empty.
    pub(super) fn tables(&self, key: &str, remedy: &str) -> Vec<Fields<'n, 't, 'd>> {
        let Some(value) = self.find(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong(key, "must be a list of tables", remedy);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", self.path_of(key));
            let line = self.notes.line_of(item.span().start);
            self.notes.lines.borrow_mut().insert(path.clone(), line);
            match item.get_ref() {
                DeValue::Table(table) => tables.push(self.inner(table, path, line)),
                _ => self.notes.add(line, &path, "must be a table", remedy),
            }
        }
        tables
    }

    fn inner(&self, table: &'d DeTable<'d>, path: String, line: usize) -> Fields<'n, 't, 'd> {
        Fields { notes: self.notes, table, path, line, read: RefCell::default() }
    }
}

impl Drop for Fields<'_, '_, '_> {
    /// Whatever nobody asked for is a mistake of the author, not something to ignore.
    fn drop(&mut self) {
        let read = self.read.borrow();
        for (key, value) in self.table {
            let key = key.get_ref();
            if !read.contains(key.as_ref()) {
                let line = self.notes.line_of(value.span().start);
                let known = read.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                let remedy = format!("remove it, or use one of: {known}");
                self.notes.add(line, &self.path_of(key), "is not a key of a study", remedy);
            }
        }
    }
}
