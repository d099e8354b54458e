//! What a person sees while the demo works: a bar at a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fedval_ambient::{Clock, SystemClock, Timestamp};
use indicatif::{ProgressBar, ProgressStyle};

/// Progress on standard error; standard output is for the result.
#[derive(Debug)]
pub struct Console {
    at_terminal: bool,
}

/// A piece of work that is under way. Dropping it without [`Step::done`] leaves no line behind.
#[derive(Debug)]
pub struct Step {
    title: String,
    started: Timestamp,
    bar: Option<ProgressBar>,
    /// The last note, so that a plain log does not repeat it.
    noted: Mutex<String>,
}

impl Console {
    /// The console of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self { at_terminal: io::stderr().is_terminal() }
    }

    /// Begins a piece of work, of `total` parts where they can be counted.
    #[must_use]
    pub fn step(&self, title: &str, total: Option<u64>) -> Step {
        let bar = self.at_terminal.then(|| bar(title, total));
        if bar.is_none() {
            line(&format!("{title} …"));
        }
        let started = SystemClock.now();
        Step { title: title.to_owned(), started, bar, noted: Mutex::default() }
    }
}

impl Step {
    /// One more part is done. At a terminal only: a log line for each would be noise.
    pub fn advance(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// What is going on right now.
    pub fn note(&self, text: &str) {
        if let Some(bar) = &self.bar {
            // On a line of its own: four hospitals do not fit beside the title.
            bar.set_style(style("{spinner} {prefix} {elapsed}\n  {wide_msg}"));
            bar.set_message(text.to_owned());
            return;
        }
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if *noted != text {
            line(&format!("  {text}"));
            text.clone_into(&mut noted);
        }
    }

    /// Something that stays on the screen.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => line(text),
        }
    }

    /// Ends the work, saying what came of it.
    pub fn done(self, detail: &str) {
        let millis = SystemClock.now().unix_millis() - self.started.unix_millis();
        let (seconds, tenths) = (millis / 1000, millis % 1000 / 100);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            line(&format!("✓ {}: {detail} ({seconds}.{tenths} s)", self.title));
        } else {
            line(&format!("  {detail} ({seconds}.{tenths} s)"));
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(title: &str, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{spinner} {prefix} {bar:24} {pos}/{len}"),
        None => (ProgressBar::new_spinner(), "{spinner} {prefix} {elapsed}"),
    };
    bar.set_style(style(template));
    bar.set_prefix(title.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a literal")
}

/// A closed standard error is no reason to stop.
fn line(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
