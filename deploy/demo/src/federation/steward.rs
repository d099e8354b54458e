//! The data steward of one hospital, played by the demo.

use std::collections::BTreeSet;

use super::site::Site;
use crate::console::Step;
use crate::error::DemoError;

/// Lines of the preview that are shown.
const PREVIEW_LINES: usize = 14;

/// A steward, who does everything once.
#[derive(Debug, Default)]
pub(super) struct Steward {
    /// Jobs with the state in which they were attended to. An agent takes a moment to move on, and
    /// an answer given twice would be refused.
    attended: BTreeSet<(String, String)>,
}

impl Steward {
    /// Does what the site's jobs wait for: approves what is offered, looks at what would leave,
    /// and releases it.
    pub(super) fn attend(&mut self, site: &Site, step: &Step) -> Result<(), DemoError> {
        for job in site.jobs()? {
            if !self.attended.insert((job.id.clone(), job.state.clone())) {
                continue;
            }
            let name = site.hospital.id;
            match job.state.as_str() {
                "offered" => {
                    site.approve(&job)?;
                    step.line(&format!("  {name}: the steward approves the job"));
                }
                "awaiting_release" => {
                    let (preview, digest) = site.preview(&job)?;
                    step.line(&format!("  {name}: what the steward sees before anything leaves"));
                    for line in shown(&preview) {
                        step.line(&format!("    │ {line}"));
                    }
                    site.release(&job, &digest)?;
                    step.line(&format!("  {name}: the steward releases exactly these bytes"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The first lines that say something, and how many follow.
fn shown(preview: &str) -> Vec<String> {
    let lines: Vec<_> = preview.lines().filter(|line| !line.trim().is_empty()).collect();
    let mut shown: Vec<String> = lines.iter().take(PREVIEW_LINES).map(|&l| l.to_owned()).collect();
    if lines.len() > PREVIEW_LINES {
        shown.push(format!("… and {} more lines", lines.len() - PREVIEW_LINES));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_preview_is_cut_and_says_so() {
        let preview = "line\n\n".repeat(20);
        let shown = shown(&preview);
        assert_eq!(shown.len(), PREVIEW_LINES + 1);
        assert_eq!(shown[PREVIEW_LINES], "… and 6 more lines");
    }
}
