//! An evaluation of findings that the model makes here: it looks at every image, and what it finds is matched with the
//! reference standard's.

use std::collections::BTreeMap;

use fedval_disclosure::SiteLocal;
use fedval_ingest::{CaseFindings, Cohort, ReferenceFindings, read_reference_findings};
use fedval_study::summary::FailureReason;
use fedval_study::{Sha256Digest, SiteSummary};
use fedval_vault::{CaseOutcome, Checkpoint};

use crate::boxes;
use crate::detection::{self, Scan};
use crate::error::EvaluateError;
use crate::evaluated::failed_share;
use crate::progress::Progress;
use crate::run::{Evaluation, aside};

impl Evaluation<'_> {
    /// Evaluates every image that no checkpoint holds, then matches and counts. The reference standard's findings are
    /// read before any image is.
    pub(crate) async fn search(
        &self,
        cohort: SiteLocal<Cohort>,
        source: ReferenceFindings,
        progress: &Progress,
    ) -> Result<SiteLocal<SiteSummary>, EvaluateError> {
        let plan = self.protocol.task.detection().ok_or(EvaluateError::NotMatched)?;
        let matching = plan.matching;
        let (cohort, findings) = aside(move || {
            let findings = read_reference_findings(&source, cohort.open_on_site(), matching);
            (cohort, findings)
        })
        .await;
        let mut scans = Scans::of(findings?.open_on_site());
        let again = self.look_at_all(cohort.open_on_site(), progress).await?;
        self.take_all(&again, |index, checkpoint| scans.take(index, checkpoint)).await?;
        self.check_share(scans.failed_share())?;
        let (protocol, secret) = (self.protocol.clone(), self.secret);
        let summary = aside(move || -> Result<SiteLocal<SiteSummary>, EvaluateError> {
            let plan = protocol.task.detection().ok_or(EvaluateError::NotMatched)?;
            detection::summarise(&protocol, plan, cohort.open_on_site(), &scans.0, &secret)
                .map_err(|_| EvaluateError::NotMatched)
        });
        summary.await
    }
}

/// Every image of the cohort, in its order.
struct Scans(Vec<Scan>);

impl Scans {
    /// None was looked at yet.
    fn of(findings: &[CaseFindings]) -> Self {
        let scan = |of: &CaseFindings| Scan {
            findings: of.clone(),
            failure: Some(FailureReason::InvalidOutput),
            header: BTreeMap::new(),
            digest: None,
        };
        Self(findings.iter().map(scan).collect())
    }

    /// Takes what became of the image at `index`. A manifest that became shorter leaves checkpoints behind.
    fn take(&mut self, index: usize, checkpoint: &Checkpoint) {
        let Some(scan) = self.0.get_mut(index) else { return };
        let own = detection::digest(&scan.findings);
        let both = checkpoint.image.map(|image| format!("{image} {own}"));
        scan.digest = both.map(|both| Sha256Digest::of(both.as_bytes()));
        scan.header.clone_from(&checkpoint.attributes);
        match &checkpoint.outcome {
            CaseOutcome::Boxes(found) => {
                scan.findings.predicted = boxes::predicted(found);
                scan.failure = None;
            }
            // What belongs to another task says nothing.
            outcome => scan.failure = outcome.failure().or(scan.failure),
        }
    }

    /// The share of images that failed: that a reference standard is missing is no failure of the index test.
    fn failed_share(&self) -> f64 {
        let failures = self.0.iter().filter_map(|scan| scan.failure);
        let failed = failures.filter(|reason| *reason != FailureReason::NoReference).count();
        failed_share(failed, self.0.len())
    }
}
