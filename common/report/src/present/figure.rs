//! A picture with its words.

use super::markup::Markup;
use super::picture::Picture;

/// A picture with its caption.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) picture: Picture,
    pub(crate) caption: Markup,
}
