//! The two counts beside each site: what its estimate rests on.

use fedval_study::{MetricId, Name};

use super::Forest;
use crate::report::{ClassSection, DetectionGroup, Disclosed, Site, SiteClasses};

impl Forest<'_> {
    /// Whether the estimate rests on all patients of a site, without a part of them that is told beside it.
    pub(super) fn is_of_patients(&self) -> bool {
        let is_over_conditions =
            *self.metric == MetricId::MacroAuroc && !self.report.conditions.is_empty();
        is_over_conditions || self.metric.is_of_measures()
    }

    /// What the two counts are called: above their column, and as columns of the data.
    pub(super) fn cases_names(&self) -> (&'static str, [&'static str; 2]) {
        match self.metric {
            _ if self.is_of_patients() => ("Patients", ["patients", "cases"]),
            MetricId::OfCondition(..) => {
                ("With condition / assessed", ["with_condition", "assessed"])
            }
            MetricId::Sensitivity(_) => ("TP / with condition", ["tp", "with_condition"]),
            MetricId::Specificity(_) => ("TN / without condition", ["tn", "without_condition"]),
            MetricId::ClassSensitivity(_) => ("Called it / of class", ["called", "of_class"]),
            MetricId::ClassSpecificity(_) => ("Not called it / others", ["not_called", "others"]),
            MetricId::ClassAuroc(_) => ("Of class / patients", ["of_class", "patients"]),
            MetricId::QuadraticKappa
            | MetricId::MacroAuroc
            | MetricId::Accuracy
            | MetricId::BalancedAccuracy => {
                ("Called right / patients", ["called_right", "patients"])
            }
            MetricId::LesionSensitivity(_) => ("Found / lesions", ["found", "lesions"]),
            MetricId::FalsePositivesPerScan(_) => {
                ("False positives / scans", ["false_positives", "scans"])
            }
            MetricId::Cpm | MetricId::AveragePrecision => ("Lesions / scans", ["lesions", "scans"]),
            _ => ("With condition / cases", ["with_condition", "cases"]),
        }
    }

    /// The counts that the estimate rests on.
    pub(super) fn cases(&self, site: &Site) -> Option<(u64, u64)> {
        let at = |point: &Name| site.operating_points.iter().find(|row| row.name == *point);
        let both = |right: Disclosed<u64>, wrong: Disclosed<u64>| {
            let right = *right.released()?;
            Some((right, right.saturating_add(*wrong.released()?)))
        };
        match self.metric {
            MetricId::Sensitivity(point) => at(point).and_then(|row| both(row.tp, row.fn_)),
            MetricId::Specificity(point) => at(point).and_then(|row| both(row.tn, row.fp)),
            MetricId::DiceMissesZero => {
                let missed = site.empty_masks?.missed;
                let having = site.patients.value()?.saturating_add(missed);
                Some((having, having))
            }
            _ if self.is_of_patients() => Some((*site.patients.value()?, *site.n.value()?)),
            MetricId::OfCondition(_, condition) => {
                let own = site.conditions.iter().find(|own| own.name == *condition)?;
                both(own.n_pos, own.n_neg)
            }
            metric if metric.is_of_findings() => {
                counts_of_findings(&site.detection.as_ref()?.counts, self.metric)
            }
            _ => match &self.report.classes {
                Some(classes) => counts_of_classes(classes, site, self.metric),
                None => Some((*site.n_pos.value()?, *site.n.value()?)),
            },
        }
    }
}

/// The counts where there are several classes.
fn counts_of_classes(classes: &ClassSection, site: &Site, metric: &MetricId) -> Option<(u64, u64)> {
    let classes_here = site.classes.as_ref()?;
    let SiteClasses { confusion } = classes_here;
    let sizes = classes_here.sizes();
    let all: u64 = sizes.iter().sum();
    let place = |class: &Name| classes.names.iter().position(|name| name == class);
    let right = |class: usize| confusion.get(class)?.get(class).copied();
    match metric {
        MetricId::ClassSensitivity(class) => {
            Some((right(place(class)?)?, *sizes.get(place(class)?)?))
        }
        MetricId::ClassSpecificity(class) => {
            let class = place(class)?;
            let called: u64 = confusion.iter().filter_map(|row| row.get(class)).sum();
            let others = all - sizes.get(class)?;
            Some((others - (called - right(class)?), others))
        }
        MetricId::ClassAuroc(class) => Some((*sizes.get(place(class)?)?, all)),
        _ => Some(((0..sizes.len()).filter_map(right).sum(), all)),
    }
}

/// The counts of findings.
fn counts_of_findings(counts: &DetectionGroup, metric: &MetricId) -> Option<(u64, u64)> {
    match metric {
        MetricId::FalsePositivesPerScan(_) => {
            Some((*counts.false_positives.released()?, counts.scans))
        }
        MetricId::Cpm | MetricId::AveragePrecision => Some((counts.lesions, counts.scans)),
        _ => Some((counts.hits, counts.lesions)),
    }
}
