//! The sheet: one page with every picture in it, for a browser on this site's own machine.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fedval_study::StudyId;
use fedval_study::protocol::ModelInput;

use super::{Seen, Shown};

const STYLE: &str = "body{font:1rem/1.4 system-ui,sans-serif;margin:1.5rem;color:#111;background:#fff}\
ul{display:grid;grid-template-columns:repeat(auto-fill,minmax(14rem,1fr));gap:1rem;list-style:none;padding:0}\
li{border:1px solid #999;padding:.5rem}\
img{display:block;width:100%;image-rendering:pixelated;background:#000}\
p{margin:.25rem 0}";

/// The page. It holds pixels of patients and numbers, no name and no path: file names may tell who somebody is.
pub(super) fn page(study: &StudyId, input: &ModelInput, seen: &[Seen]) -> String {
    let cases: String = seen.iter().map(case).collect();
    let (height, width, channels) = (input.height, input.width, input.channels);
    // Pictures of volumes are of their middle slice.
    let (depth, unit) = input.volume.map_or((String::new(), "pixels"), |volume| {
        (format!("{} × ", volume.depth), "voxels (drawn: the middle slice)")
    });
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <title>What the model would see: {study}</title><style>{STYLE}</style></head><body>\
         <h1>What the model would see</h1>\
         <p>Study {study}: {depth}{height} × {width} {unit}, {channels} channel(s), as the protocol prepares them. \
         Patients' images: this page stays on this machine.</p>\
         <p>Look for images that lie on their side, are mirrored, black, white, inverted, cropped or squeezed. \
         Cases are counted from 1 in the order of the manifest.</p>\
         <ul>{cases}</ul></body></html>\n"
    )
}

fn case(seen: &Seen) -> String {
    let place = seen.place;
    match &seen.image {
        Ok(shown) => {
            format!("<li>{}<p>Case {place}</p><p>{}</p></li>", drawn(place, shown), told(shown))
        }
        Err(code) => format!("<li><p>Case {place}</p><p><strong>{code}</strong></p></li>"),
    }
}

fn drawn(place: usize, shown: &Shown) -> String {
    shown.picture.as_ref().map_or_else(String::new, |png| {
        let png = BASE64.encode(png);
        format!(
            "<img alt=\"Case {place}, input of the model\" src=\"data:image/png;base64,{png}\">"
        )
    })
}

fn told(shown: &Shown) -> String {
    let Shown { minimum, mean, maximum, .. } = shown;
    format!("values {minimum:.3} to {maximum:.3}, mean {mean:.3} {}", shown.note())
}
