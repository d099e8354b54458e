//! What a fault of this program says of itself: where it is, and nothing of what was being worked on.

use std::panic::{self, PanicHookInfo};

/// From here on a panic is one line of the log. Its own text is thrown away: it may quote what was being
/// read, and a log leaves the site.
pub(super) fn tell_by_place() {
    panic::set_hook(Box::new(|panic| {
        tracing::error!(code = "PROGRAM_FAULT", at = place(panic), "the program has a fault");
    }));
}

/// The source file, without the folders of the machine that built it, and the line.
fn place(panic: &PanicHookInfo<'_>) -> String {
    panic.location().map_or_else(String::new, |place| {
        let file = place.file().rsplit('/').next().unwrap_or_default();
        format!("{file}:{}", place.line())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

    fn breaks() {
        panic!("ZZCANARY^PATIENT in /phi-canary/image.dcm");
    }

    fn unreadable() -> std::io::Result<()> {
        Err(std::io::Error::other("/phi-canary/image.dcm"))
    }

    fn expects() {
        unreadable().expect("it is there");
    }

    #[test]
    fn a35_a_panic_is_told_by_its_place_alone() {
        panic::set_hook(Box::new(|panic| TOLD.lock().unwrap().push(place(panic))));
        assert!(panic::catch_unwind(breaks).is_err() && panic::catch_unwind(expects).is_err());
        let told = TOLD.lock().unwrap().clone();
        assert!(told.len() >= 2, "{told:?}");
        for place in told {
            let (file, line) = place.split_once(':').unwrap();
            assert!(file.contains("fault") && line.parse::<u32>().is_ok(), "{place}");
        }
    }
}
