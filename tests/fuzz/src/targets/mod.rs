//! The targets, by what the functions are about.

mod aggregates;
mod agreement;
mod associations;
mod calibration;
mod discrimination;
mod files;
mod images;
mod models;
mod monitoring;
mod planning;
mod proportions;
mod sites;

use crate::Target;

/// Every list.
pub(crate) const ALL: &[&[Target]] = &[
    aggregates::TARGETS,
    agreement::TARGETS,
    associations::TARGETS,
    calibration::TARGETS,
    discrimination::TARGETS,
    files::TARGETS,
    images::TARGETS,
    models::TARGETS,
    monitoring::TARGETS,
    planning::TARGETS,
    proportions::TARGETS,
    sites::TARGETS,
];
