//! What an enhanced image says of the values of one frame (PS3.3 C.7.6.16): the frame itself, or once for all of them.

use dicom_core::Tag;

use super::data_set::{DataSet, finite, first_text};
use super::description::Description;
use crate::decode::fault::ImageFault;

/// A functional group as it applies to one frame: the frame's own where it has one, else what all share. The own one
/// takes its place as a whole, so that never half of a mapping is of this frame and half of all.
#[derive(Clone, Copy)]
pub(super) struct FrameGroup<'d, 'a> {
    data_set: &'d DataSet<'a>,
    group: Tag,
    /// The frame, from 0.
    frame: u32,
}

impl<'d, 'a> FrameGroup<'d, 'a> {
    /// Refuses groups of fewer or more frames than the image has: nothing then says which is whose.
    pub(super) fn of(
        data_set: &'d DataSet<'a>,
        description: &Description,
        group: Tag,
        frame: u32,
    ) -> Result<Self, ImageFault> {
        let found = Self { data_set, group, frame };
        if found.is_apart() && data_set.frame_items() != description.frames {
            return Err(ImageFault::ValueMapping);
        }
        Ok(found)
    }

    /// Whether any frame has this group for itself: no frame may then go without.
    pub(super) fn is_apart(&self) -> bool {
        self.data_set.is_by_frame(self.group)
    }

    /// The first value of an element of text, without padding.
    pub(super) fn text(&self, tag: Tag) -> Option<&'a str> {
        if self.data_set.frame_has(self.frame, self.group) {
            first_text(self.data_set.frame_bytes(self.frame, self.group, tag)?)
        } else {
            self.data_set.text(tag)
        }
    }

    /// The first number of an element of decimal text. `absent` stands for one that the file does not have; where
    /// frames are mapped apart, or without an `absent`, that is refused.
    pub(super) fn decimal(&self, tag: Tag, absent: Option<f64>) -> Result<f64, ImageFault> {
        match self.text(tag) {
            Some(text) => finite(text),
            None => absent.filter(|_| !self.is_apart()).ok_or(ImageFault::ValueMapping),
        }
    }
}
