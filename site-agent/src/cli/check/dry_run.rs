//! A few cases of a study as its model would see them, drawn on a sheet that stays here.

mod sheet;

use std::path::PathBuf;

use fedval_ambient::{Exit, Failure};
use fedval_disclosure::SiteLocal;
use fedval_evaluate::{DryRun, Looked, Progress};
use fedval_ingest::{Cohort, ReceivedImage, picture};
use fedval_study::StudyId;
use fedval_study::protocol::{ModelInput, StudyProtocol};
use serde_json::{Value, json};

use crate::config::DataSource;
use crate::home::{Home, write};
use crate::progress;

/// So many cases are looked at.
const CASES: usize = 10;

/// A case as the model would see it.
struct Seen {
    /// Its place in the manifest, from 1.
    place: usize,
    image: Result<Shown, &'static str>,
}

/// What is told of an image that can be decoded.
struct Shown {
    /// A PNG; none where the model takes another number of channels than pictures have.
    picture: Option<Vec<u8>>,
    /// Of the values that the model gets.
    minimum: f32,
    mean: f64,
    maximum: f32,
}

/// What a dry run found, and where its sheet lies.
pub(super) struct Sheet {
    seen: Vec<Seen>,
    file: PathBuf,
}

/// Looks at a few cases of the study's source and draws what the model would see.
pub(super) async fn run(
    home: &Home,
    study: &StudyId,
    protocol: &StudyProtocol,
    source: &DataSource,
    cohort: &SiteLocal<Cohort>,
) -> Result<Sheet, Failure> {
    let limits = home.config()?.limits;
    let pacs = source.pacs(&limits)?;
    let pacs = pacs.map(|pacs| pacs.keeping_series_in(home.folder().to_path_buf()));
    let decode_limits = limits.decode();
    let dry_run = DryRun { protocol, cohort, pacs: pacs.as_ref(), decode_limits };
    // A PACS may take its time over each.
    let shown = Progress::default();
    let looked = tokio::select! {
        looked = dry_run.run(CASES, &shown) => looked?,
        never = progress::show("cases", &shown) => match never {},
    };
    let seen: Vec<Seen> = looked.iter().map(|looked| seen(looked, &protocol.model.input)).collect();
    let file = home.dry_run_file(study);
    write(&file, &sheet::page(study, &protocol.model.input, &seen))?;
    Ok(Sheet { seen, file })
}

fn seen(looked: &Looked, input: &ModelInput) -> Seen {
    let image = looked.image.as_ref();
    let image = image.map(|image| Shown::new(image.open_on_site(), input));
    Seen { place: looked.place + 1, image: image.map_err(|none| none.code) }
}

impl Shown {
    fn new(image: &ReceivedImage, input: &ModelInput) -> Self {
        let values = image.tensor();
        let sum: f64 = values.iter().copied().map(f64::from).sum();
        let count = u32::try_from(values.len()).map_or(f64::INFINITY, f64::from);
        Self {
            picture: picture(&values, input),
            minimum: values.iter().copied().fold(f32::INFINITY, f32::min),
            mean: sum / count.max(1.0),
            maximum: values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        }
    }

    /// What a person should know before the picture.
    fn note(&self) -> &'static str {
        if self.minimum < self.maximum { "" } else { "one value everywhere" }
    }
}

impl Sheet {
    /// What `check` says of it.
    pub(super) fn found(&self) -> Result<String, Failure> {
        let (file, count) = (self.file.display(), self.seen.len());
        let failed: Vec<String> = self
            .seen
            .iter()
            .filter_map(|seen| Some(format!("{} ({})", seen.place, seen.image.as_ref().err()?)))
            .collect();
        if !failed.is_empty() {
            return Err(Failure::new(
                Exit::AnswerIsNo,
                "DRY_RUN_FAILED",
                format!(
                    "of {count} cases these cannot be decoded: {}; the others are drawn in {file}",
                    failed.join(", ")
                ),
                "run `fedval-agent --explain CODE` for each, then mend images or manifest",
            ));
        }
        let blank = self
            .seen
            .iter()
            .filter(|seen| seen.image.as_ref().is_ok_and(|shown| !shown.note().is_empty()));
        Ok(match (count, blank.count()) {
            (0, _) => "no case has an image and a reference standard".to_owned(),
            (_, 0) => format!("{count} cases are drawn in {file}: look at them"),
            (_, blank) => format!(
                "{count} cases are drawn in {file}: look at them; {blank} have one value everywhere"
            ),
        })
    }

    /// Each case for scripts.
    pub(super) fn json(&self) -> Value {
        let cases = self.seen.iter().map(|seen| match &seen.image {
            Ok(Shown { minimum, mean, maximum, .. }) => json!({
                "case": seen.place, "minimum": minimum, "mean": mean, "maximum": maximum
            }),
            Err(code) => json!({ "case": seen.place, "code": code }),
        });
        json!({ "sheet": self.file.display().to_string(), "cases": cases.collect::<Vec<_>>() })
    }
}
