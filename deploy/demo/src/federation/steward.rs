//! The data steward of one hospital, played by the demo.

use super::site::Site;
use crate::console::Step;
use crate::error::DemoError;

/// Lines of the preview that are shown.
const PREVIEW_LINES: usize = 14;

/// Does what the site's jobs wait for: approves what is offered, looks at what would leave, and
/// releases it.
pub(super) fn attend(site: &Site, step: &Step) -> Result<(), DemoError> {
    let name = site.hospital.id;
    for job in site.jobs()? {
        match job.state.as_str() {
            "offered" => {
                site.approve(&job)?;
                step.line(&format!("  {name}: the steward approves the job"));
            }
            "awaiting_release" => {
                let preview = site.preview(&job)?;
                step.line(&format!("  {name}: what the steward sees before anything leaves"));
                for line in shown(&preview) {
                    step.line(&format!("    │ {line}"));
                }
                site.release(&job)?;
                step.line(&format!("  {name}: the steward releases exactly these bytes"));
            }
            _ => {}
        }
    }
    Ok(())
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
        let preview = (0..20).map(|line| format!("line {line}\n\n")).collect::<String>();
        let shown = shown(&preview);
        assert_eq!(shown.len(), PREVIEW_LINES + 1);
        assert_eq!(shown[PREVIEW_LINES], "… and 6 more lines");
    }
}
