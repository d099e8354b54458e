//! Studies of masks: how they were measured, and who has an empty one.

use fedval_study::protocol::StudyProtocol;

use super::Answer;
use super::aggregates::Aggregates;
use crate::report::SegmentationSection;

/// Counts over every site that tells them; `None` of other tasks.
pub(super) fn section(plan: &StudyProtocol, answers: &[Answer<'_>]) -> Option<SegmentationSection> {
    let mut section = SegmentationSection::of(plan.task.structure()?);
    let add = |sum: &mut u64, count: u64| *sum = sum.saturating_add(count);
    for answer in answers {
        let Some(Aggregates::Measures(group)) = answer.whole(plan) else { continue };
        add(&mut section.measured, group.patients);
        let Some(empty) = group.empty_masks else { continue };
        add(&mut section.measured_beside_missed, group.patients);
        add(&mut section.missed, empty.missed);
        if let Some(without) = empty.without_structure {
            add(&mut section.neither, without.neither);
            add(&mut section.spurious, without.spurious);
        }
    }
    Some(section)
}
