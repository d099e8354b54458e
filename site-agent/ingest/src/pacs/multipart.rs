//! `multipart/related` with one part (RFC 2046, 5.1; PS3.18, 8.6.1.2): how WADO-RS answers.

use memchr::memmem;

use super::CaseFault;

/// Longest boundary (RFC 2046, 5.1.1).
const LONGEST_BOUNDARY: usize = 70;
/// Longest head of a part, and longest text in front of the first.
const LONGEST_HEAD: usize = 16 * 1024;

/// The boundary that a content type names.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let mut parts = content_type.split(';');
    if !parts.next()?.trim().eq_ignore_ascii_case("multipart/related") {
        return None;
    }
    let boundary = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    let is_sound = !boundary.is_empty() && boundary.len() <= LONGEST_BOUNDARY;
    is_sound.then(|| boundary.to_owned())
}

/// The content of the only part. A second part, or an end that is missing, is a fault: half an image
/// is never looked at.
pub(super) fn only_part(mut body: Vec<u8>, boundary: &str) -> Result<Vec<u8>, CaseFault> {
    let delimiter = format!("--{boundary}");
    let start = opening(&body, delimiter.as_bytes())?;
    let head = &body[start..body.len().min(start + LONGEST_HEAD)];
    // Without a single field, the break after the delimiter ends the head as well.
    let content = start + memmem::find(head, b"\r\n\r\n").ok_or(CaseFault::AnswerInvalid)? + 4;
    let end = format!("\r\n{delimiter}");
    let length = memmem::find(&body[content..], end.as_bytes()).ok_or(CaseFault::AnswerInvalid)?;
    let rest = &body[content + length + end.len()..];
    if !rest.starts_with(b"--") {
        let is_another = rest.starts_with(b"\r\n");
        return Err(if is_another {
            CaseFault::SeveralInstances
        } else {
            CaseFault::AnswerInvalid
        });
    }
    body.truncate(content + length);
    body.drain(..content);
    Ok(body)
}

/// Where the line of the first delimiter ends: at its break.
fn opening(body: &[u8], delimiter: &[u8]) -> Result<usize, CaseFault> {
    let front = &body[..body.len().min(LONGEST_HEAD)];
    let at = memmem::find_iter(front, delimiter)
        .find(|at| *at == 0 || front[..*at].ends_with(b"\r\n"))
        .ok_or(CaseFault::AnswerInvalid)?;
    Ok(at + delimiter.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(body: &str) -> Result<String, CaseFault> {
        only_part(body.as_bytes().to_vec(), "B").map(|part| String::from_utf8(part).unwrap())
    }

    #[test]
    fn the_boundary_is_read_as_servers_write_it() {
        let orthanc = "multipart/related; type=\"application/dicom\"; boundary=a-b-c";
        assert_eq!(boundary(orthanc).as_deref(), Some("a-b-c"));
        let quoted = "Multipart/Related;BOUNDARY=\"x y\";type=application/dicom";
        assert_eq!(boundary(quoted).as_deref(), Some("x y"));
        let long = format!("multipart/related; boundary={}", "b".repeat(71));
        for bad in ["", "application/dicom; boundary=a", "multipart/related", &long] {
            assert_eq!(boundary(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_only_part_is_taken_out() {
        let plain = "--B\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--B--\r\n";
        assert_eq!(part(plain).as_deref(), Ok("DICM"));
        assert_eq!(part("before\r\n--B\r\n\r\na\r\nb\r\n\r\n--B--").as_deref(), Ok("a\r\nb\r\n"));
        assert_eq!(part("--B\r\nX: 1\r\n\r\n\r\n--B--").as_deref(), Ok(""));
    }

    #[test]
    fn what_ends_early_or_goes_on_is_refused() {
        let whole = "--B\r\nX: 1\r\n\r\nDICM\r\n--B--";
        for length in 0..whole.len() {
            assert!(part(&whole[..length]).is_err(), "{length}");
        }
        assert_eq!(
            part("--B\r\n\r\none\r\n--B\r\n\r\ntwo\r\n--B--"),
            Err(CaseFault::SeveralInstances)
        );
        let endless_head = format!("--B\r\nX: {}\r\n\r\nDICM\r\n--B--", "x".repeat(LONGEST_HEAD));
        assert_eq!(part(&endless_head), Err(CaseFault::AnswerInvalid));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_one_whole_part_or_a_fault(
            pieces in prop::collection::vec(
                prop::sample::select(vec!["--B", "--", "\r\n", "\r\n\r\n", "B", "\0", "X: 1"]),
                0..16,
            ),
        ) {
            let body = pieces.concat();
            if let Ok(part) = part(&body) {
                prop_assert!(!part.contains("\r\n--B"));
                let rest = format!("\r\n\r\n{part}\r\n--B--");
                prop_assert!(body.contains(&rest));
            }
        }
    }
}
