//! An evaluation of findings that were brought: nothing runs, and files are read again after a restart.

use fedval_disclosure::SiteLocal;
use fedval_ingest::{Cohort, FindingsSource, read_findings};
use fedval_study::SiteSummary;
use fedval_study::summary::FailureReason;

use crate::detection::{self, Scan};
use crate::error::EvaluateError;
use crate::evaluated::failed_share;
use crate::progress::Progress;
use crate::run::{Evaluation, aside};

impl Evaluation<'_> {
    /// Reads findings, matches them and counts. There is nothing to resume.
    pub(crate) async fn match_findings(
        &self,
        cohort: SiteLocal<Cohort>,
        source: FindingsSource,
        progress: &Progress,
    ) -> Result<SiteLocal<SiteSummary>, EvaluateError> {
        let (cases, count) = (cohort.open_on_site().cases(), cohort.open_on_site().len());
        progress.begin(count, 0);
        let failed = cases.filter_map(|case| detection::failure(&case));
        let failed = failed.filter(|reason| *reason != FailureReason::NoReference).count();
        self.check_share(failed_share(failed, count))?;
        progress.add(count);
        let (protocol, secret) = (self.protocol.clone(), self.secret);
        let summary = aside(move || -> Result<SiteLocal<SiteSummary>, EvaluateError> {
            let plan = protocol.task.detection().ok_or(EvaluateError::NotMatched)?;
            let cohort = cohort.open_on_site();
            let findings = read_findings(&source, cohort, plan.matching)?;
            let brought = cohort.cases().zip(findings.open_on_site());
            let brought = brought.map(|(case, of)| Scan::brought(&protocol, &case, of.clone()));
            let scans: Vec<Scan> = brought.collect();
            detection::summarise(&protocol, plan, cohort, &scans, &secret)
                .map_err(|_| EvaluateError::NotMatched)
        });
        summary.await
    }
}
