//! What travels between the decoder's box and its parent.
//!
//! Request: length of the head in four bytes, the head as JSON, the file (an image or a report), or both masks of a
//! case one behind the other, or the reference standard's and the numbers of a model's output. Reply: a byte that says
//! how it went; for an image three zeros follow, the number of values in four bytes, the values as `f32`, and the
//! attributes with the image's frame as JSON; for masks, what was measured of them; for a report, its findings. A series
//! is a conversation: it begins, each file is looked at, the order is asked for, each file is taken in it, and the end is
//! answered with the volume as with an image. Integers are
//! little-endian, values as this machine keeps them: both ends are the same program.

mod answer;
mod reply;
mod request;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::image_frame::ImageFrame;
pub(super) use answer::Session;
pub use reply::ReceivedImage;
pub(super) use reply::{
    decode_done, decode_mask_reply, decode_order, decode_reply, decode_report_reply,
};
pub(super) use request::{
    Step, encode_head, encode_mask_head, encode_output_head, encode_report_head,
    encode_series_head, encode_step,
};

/// First byte of a reply with an image or a comparison; any other is a fault's place, counted from 1.
const DECODED: u8 = 0;

/// Bytes before the values of an image: a multiple of a value's, so that they can be read in place.
const HEAD_BYTES: usize = 8;

/// Bytes of a reply that are not values: generous for eleven attributes of 64 characters.
const REPLY_OVERHEAD: u64 = 16 * 1024;

/// What a reply says of an image beside its values.
#[derive(Serialize, Deserialize)]
struct About {
    attributes: BTreeMap<String, String>,
    frame: ImageFrame,
}

/// Longest reply of an honest box with an input of `values` values.
pub(super) const fn max_reply_bytes(values: u64) -> u64 {
    values.saturating_mul(4).saturating_add(REPLY_OVERHEAD)
}

#[cfg(test)]
mod tests {
    use fedval_sandbox::{Reply as _, numbers};
    use fedval_study::digest::{ModelDigest, Sha256Digest};
    use fedval_study::protocol::{
        Border, FrameChoice, Layout, MaskOutput, MaskRule, ModelInput, ModelOutput,
        ModelSpecification, Monochrome1, OutputForm, Resize, ScoreScale, Structure, ValueScaling,
    };

    use super::answer::{Answer, answer_of_order, answer_with};
    use super::request::{OwnedHead, decode_request};
    use super::*;
    use crate::decode::fault::ImageFault;
    use crate::decode::image_frame::SliceRun;
    use crate::decode::mask::OutputRequest;
    use crate::decode::{DecodeRequest, DecodedImage};

    fn input() -> ModelInput {
        ModelInput {
            name: "image".to_owned(),
            layout: Layout::Nchw,
            height: 1,
            width: 2,
            channels: 1,
            scaling: ValueScaling::Unit,
            mean: 0.0,
            standard_deviation: 1.0,
            resize: Resize::Refuse,
            monochrome1: Monochrome1::Invert,
            frame: FrameChoice::Only,
            volume: None,
        }
    }

    fn structure() -> Structure {
        Structure {
            labels: vec![1],
            other_labels: Vec::new(),
            rois: Vec::new(),
            border: Border::VoxelBorder,
            tolerance_um: 500,
            hd95_bound_um: 50_000,
            pixel_spacing_um: None,
        }
    }

    fn model() -> ModelSpecification {
        let mask = MaskOutput { channels: 1, rule: MaskRule::Threshold(500_000) };
        ModelSpecification {
            name: "mirror".to_owned(),
            digest: ModelDigest(Sha256Digest::of(b"mirror")),
            bytes: 6,
            input: input(),
            output: ModelOutput {
                name: "mask".to_owned(),
                scale: ScoreScale::Probability,
                positive_index: 0,
                values: 1,
                separate: false,
                form: OutputForm::Mask(mask),
            },
        }
    }

    #[test]
    fn numbers_of_a_mask_lie_where_they_can_be_read_in_place() {
        let (structure, model, values) = (structure(), model(), [0.5_f32, -1.25]);
        let frame = ImageFrame { height: 1, width: 2, place: None, slices: None };
        // A file may be of any length.
        for length in 0..9 {
            let reference = vec![7; length];
            let request = OutputRequest {
                structure: &structure,
                model: &model,
                frame: &frame,
                reference: &reference,
                values: &values,
            };
            let head = encode_output_head(&request);
            assert!((head.len() + length).is_multiple_of(size_of::<f32>()), "{length}");
            let sent = [&head[..], &reference, bytemuck::cast_slice(&values)].concat();
            let (head, rest) = decode_request(&sent).unwrap();
            let OwnedHead::Output { reference_bytes, .. } = head else { panic!("of an output") };
            assert_eq!(rest[..reference_bytes], reference);
            assert_eq!(*numbers(&rest[reference_bytes..]), values);
        }
    }

    #[test]
    fn an_order_names_every_file_once() {
        let sent = |order: &[usize]| answer_of_order(order).parts().concat();
        assert_eq!(decode_order(&sent(&[2, 0, 1]), 3), Some(Ok(vec![2, 0, 1])));
        for odd in [&[2, 0][..], &[2, 0, 0], &[0, 1, 3], &[0, 1, 2, 3]] {
            assert_eq!(decode_order(&sent(odd), 3), None, "{odd:?}");
        }
        assert_eq!(decode_order(&sent(&[0, 1, 2])[..12], 3), None);
        assert_eq!(decode_done(&[DECODED, 0]), None);
    }

    #[test]
    fn steps_without_a_series_are_refused_and_a_fault_ends_one() {
        let input = input();
        let mut session = Session::default();
        let fault = |answer: Answer| decode_done(&answer.parts().concat());
        for step in [Step::Look, Step::Order, Step::Take, Step::End] {
            let answer = session.answer(&encode_step(step));
            assert_eq!(fault(answer), Some(Err(ImageFault::Corrupt)), "{step:?}");
        }
        let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes: b"" };
        assert_eq!(fault(session.answer(&encode_series_head(&request, None))), Some(Ok(())));
        let no_dicom = [&encode_step(Step::Look)[..], b"no file"].concat();
        assert_eq!(fault(session.answer(&no_dicom)), Some(Err(ImageFault::FormatUnknown)));
        assert_eq!(fault(session.answer(&no_dicom)), Some(Err(ImageFault::Corrupt)));
    }

    #[test]
    fn every_fault_survives_the_pipe_and_odd_replies_are_refused() {
        let input = input();
        let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes: b"" };
        let sent = |answer: &Answer| answer.parts().concat();
        for fault in ImageFault::ALL {
            let reply = sent(&Answer::Fault([1 + fault as u8]));
            assert_eq!(decode_reply(reply, &request), Some(Err(fault)));
        }
        let frame = ImageFrame { height: 5, width: 7, place: None, slices: None };
        let image = |tensor| DecodedImage { tensor, attributes: BTreeMap::new(), frame };
        let reply = sent(&answer_with(image(vec![0.5, 1.0])));
        let received = decode_reply(reply.clone(), &request).unwrap().unwrap();
        assert_eq!(*received.tensor(), [0.5, 1.0]);
        assert!(received.attributes().is_empty());
        assert_eq!(*received.frame(), frame);
        let nowhere =
            DecodedImage { frame: ImageFrame { height: 0, ..frame }, ..image(vec![0.5, 1.0]) };
        assert_eq!(decode_reply(sent(&answer_with(nowhere)), &request), None);
        let slices = Some(SliceRun { count: 2, step: [0.0, 0.0, 1.0] });
        let volume =
            DecodedImage { frame: ImageFrame { slices, ..frame }, ..image(vec![0.5, 1.0]) };
        assert_eq!(decode_reply(sent(&answer_with(volume)), &request), None);
        for odd in [vec![0.5], vec![0.5, f32::NAN], vec![0.5; 3]] {
            assert_eq!(decode_reply(sent(&answer_with(image(odd))), &request), None);
        }
        let short = &[DECODED, 0, 0, 0, 255, 255, 255, 255][..];
        for odd in [&[][..], &[200], &[0], short, &[1, 1], &reply[..7], &reply[..12]] {
            assert_eq!(decode_reply(odd.to_vec(), &request), None);
        }
    }
}
