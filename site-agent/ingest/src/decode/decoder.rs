//! The parent's side of decoding, of comparing masks and of reading reports.

use std::time::Duration;

use fedval_ambient::{Exit, Problem};
use fedval_disclosure::SiteLocal;
use fedval_sandbox::{BoxLimits, BoxProgram, BoxedChild, CallError, SpawnError};
use fedval_study::protocol::ModelInput;
use fedval_study::summary::FailureReason;

use super::DecodeRequest;
use super::exchange::{
    ReceivedImage, Step, decode_done, decode_mask_reply, decode_order, decode_reply,
    decode_report_reply, encode_head, encode_mask_head, encode_output_head, encode_report_head,
    encode_series_head, encode_step, max_reply_bytes,
};
use super::fault::ImageFault;
use super::mask::{MaskComparison, MaskRequest, OutputRequest};
use super::report::ReportRequest;
use crate::findings::CaseFindings;

/// Images that one child decodes. A child that an image has turned can falsify no more than the
/// rest of these.
const IMAGES_PER_CHILD: u32 = 256;

/// All files of a series together are at most so many times as large as the largest file that is read.
pub const LARGEST_SERIES: u64 = 16;

/// How often the time for one image all files of a series together may take. A series counts as so many images: a box
/// has processor time for as many.
const SERIES_PATIENCE: u32 = 15;

const _: () = assert!(SERIES_PATIENCE <= IMAGES_PER_CHILD, "a fresh box has time for a series");

/// What decoding one image may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Address space of the box, in bytes.
    pub memory_bytes: u64,
    /// Time for one image, in seconds.
    pub wall_clock_seconds: u64,
    /// Largest file that is looked at, in bytes.
    pub max_file_bytes: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { memory_bytes: 2 << 30, wall_clock_seconds: 20, max_file_bytes: 256 << 20 }
    }
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeFailure {
    /// This case fails; the next may succeed.
    #[error("the image of this case is not usable")]
    Case {
        /// The reason under which the case is counted.
        reason: FailureReason,
        /// Stable code for the site's own list of failed cases.
        detail: &'static str,
    },
    /// No box can be started, for this case or any other.
    #[error("image files cannot be decoded on this machine")]
    Machine {
        /// What stands in the way.
        #[source]
        source: SpawnError,
    },
}

impl DecodeFailure {
    const fn undecodable(detail: &'static str) -> Self {
        Self::Case { reason: FailureReason::Undecodable, detail }
    }
}

impl From<ImageFault> for DecodeFailure {
    fn from(fault: ImageFault) -> Self {
        Self::Case { reason: fault.reason(), detail: fault.code() }
    }
}

impl From<CallError> for DecodeFailure {
    fn from(error: CallError) -> Self {
        Self::undecodable(match error {
            CallError::TimedOut => "DECODER_TIMEOUT",
            // No accident: somebody's file tried to break out.
            CallError::Forbidden => "SANDBOX_FORBIDDEN_CALL",
            _ => "DECODER_DIED",
        })
    }
}

impl Problem for DecodeFailure {
    fn code(&self) -> &'static str {
        match self {
            Self::Case { detail, .. } => detail,
            Self::Machine { source } => source.code(),
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Case { .. } => None,
            Self::Machine { source } => source.remedy(),
        }
    }

    fn exit(&self) -> Exit {
        Exit::Machine
    }
}

/// Decodes images in a box, and starts a fresh box when one has ended.
#[derive(Debug)]
pub struct Decoder {
    program: BoxProgram,
    limits: DecodeLimits,
    child: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: BoxedChild,
    images_left: u32,
    max_reply_bytes: u64,
}

impl Decoder {
    /// A decoder that starts `program` when it is first needed.
    ///
    /// The program calls [`decode_box_main`](super::decode_box_main) in the role
    /// [`DECODE_ROLE`](super::DECODE_ROLE).
    #[must_use]
    pub const fn new(program: BoxProgram, limits: DecodeLimits) -> Self {
        Self { program, limits, child: None }
    }

    /// Starts the box and nothing else: it answers only once it is confined.
    ///
    /// # Errors
    ///
    /// [`DecodeFailure::Machine`] if it cannot be started or confined on this machine.
    pub async fn start(&self) -> Result<(), DecodeFailure> {
        self.spawn(max_reply_bytes(0)).await.map(drop)
    }

    /// Decodes one image.
    ///
    /// # Errors
    ///
    /// See [`DecodeFailure`]. A file that ends the box fails its own case only.
    pub async fn decode(
        &mut self,
        request: &DecodeRequest<'_>,
    ) -> Result<SiteLocal<ReceivedImage>, DecodeFailure> {
        self.check_length(request.bytes)?;
        let longest = max_reply_bytes(request.input.values() as u64);
        let parts = [&encode_head(request)[..], request.bytes];
        self.ask(&parts, longest, |reply| decode_reply(reply, request)).await
    }

    /// Holds the two masks of a case against each other.
    ///
    /// # Errors
    ///
    /// See [`DecodeFailure`]. Files that end the box fail their own case only.
    pub async fn compare(
        &mut self,
        request: &MaskRequest<'_>,
    ) -> Result<SiteLocal<MaskComparison>, DecodeFailure> {
        self.check_length(request.reference)?;
        self.check_length(request.predicted)?;
        let parts = [&encode_mask_head(request)[..], request.reference, request.predicted];
        self.ask(&parts, max_reply_bytes(0), |reply| decode_mask_reply(&reply)).await
    }

    /// Reads the findings of a report, or says why there are none.
    ///
    /// # Errors
    ///
    /// See [`DecodeFailure`]. What is wrong with the report itself is in the answer.
    pub async fn findings(
        &mut self,
        request: &ReportRequest<'_>,
    ) -> Result<SiteLocal<Result<CaseFindings, ImageFault>>, DecodeFailure> {
        self.check_length(request.bytes)?;
        let parts = [&encode_report_head(request)[..], request.bytes];
        let read = |reply: Vec<u8>| decode_report_reply(&reply, request).map(Ok);
        self.ask(&parts, max_reply_bytes(0), read).await
    }

    /// Begins a series, whose files are then given to what is returned.
    ///
    /// # Errors
    ///
    /// See [`DecodeFailure`].
    pub async fn series<'d>(
        &'d mut self,
        input: &'d ModelInput,
        dicom_attributes: &'d [String],
    ) -> Result<SeriesDecoding<'d>, DecodeFailure> {
        self.series_of(input, dicom_attributes, None).await
    }

    /// The same of the series with this UID, where it is known: a file that says it is of another (0020,000E) fails the
    /// case.
    ///
    /// # Errors
    ///
    /// See [`DecodeFailure`].
    pub async fn series_of<'d>(
        &'d mut self,
        input: &'d ModelInput,
        dicom_attributes: &'d [String],
        uid: Option<&str>,
    ) -> Result<SeriesDecoding<'d>, DecodeFailure> {
        let longest = max_reply_bytes(input.values() as u64);
        let running = self.running(longest, SERIES_PATIENCE).await?;
        let request = DecodeRequest { input, dicom_attributes, bytes: &[] };
        let mut series = SeriesDecoding { decoder: self, running, request, files: 0 };
        let head = encode_series_head(&series.request, uid);
        series.ask(&[&head], |reply| decode_done(&reply)).await?;
        Ok(series)
    }

    /// How long a whole series may take: every file of it has the time of an image, and there may be thousands.
    #[must_use]
    pub fn series_patience(&self) -> Duration {
        Duration::from_secs(self.limits.wall_clock_seconds).saturating_mul(SERIES_PATIENCE)
    }

    /// Holds a model's mask against the reference standard's. The model's numbers go in; what comes out is what is
    /// measured, as of two files.
    ///
    /// # Errors
    ///
    /// See [`DecodeFailure`]. What ends the box fails its own case only.
    pub async fn compare_output(
        &mut self,
        request: &OutputRequest<'_>,
    ) -> Result<SiteLocal<MaskComparison>, DecodeFailure> {
        self.check_length(request.reference)?;
        let values = bytemuck::cast_slice(request.values);
        let parts = [&encode_output_head(request)[..], request.reference, values];
        self.ask(&parts, max_reply_bytes(0), |reply| decode_mask_reply(&reply)).await
    }

    fn check_length(&self, file: &[u8]) -> Result<(), DecodeFailure> {
        let is_too_long = file.len() as u64 > self.limits.max_file_bytes;
        if is_too_long { Err(DecodeFailure::undecodable("FILE_TOO_LARGE")) } else { Ok(()) }
    }

    /// Asks the box, which answers with at most `longest` bytes that `read` understands.
    async fn ask<T>(
        &mut self,
        parts: &[&[u8]],
        longest: u64,
        read: impl FnOnce(Vec<u8>) -> Option<Result<T, ImageFault>>,
    ) -> Result<SiteLocal<T>, DecodeFailure> {
        let mut running = self.running(longest, 1).await?;
        let wall_clock = Duration::from_secs(self.limits.wall_clock_seconds);
        let reply = running.child.call(parts, wall_clock).await?;
        let Some(answer) = read(reply) else {
            return Err(DecodeFailure::undecodable("DECODER_REPLY_INVALID"));
        };
        // Only a box that kept to the protocol sees another file.
        running.images_left -= 1;
        self.child = Some(running);
        Ok(SiteLocal::new(answer?))
    }

    /// The child at hand, if it has time for `cost` more images, or a fresh one.
    async fn running(&mut self, max_reply_bytes: u64, cost: u32) -> Result<Running, DecodeFailure> {
        let fits = |r: &Running| r.images_left >= cost && r.max_reply_bytes == max_reply_bytes;
        if let Some(running) = self.child.take().filter(fits) {
            return Ok(running);
        }
        let child = self.spawn(max_reply_bytes).await?;
        Ok(Running { child, images_left: IMAGES_PER_CHILD, max_reply_bytes })
    }

    async fn spawn(&self, max_reply_bytes: u64) -> Result<BoxedChild, DecodeFailure> {
        let limits = BoxLimits {
            memory_bytes: self.limits.memory_bytes,
            cpu_seconds: self.limits.wall_clock_seconds.saturating_mul(IMAGES_PER_CHILD.into()),
            max_reply_bytes,
        };
        BoxedChild::spawn(&self.program, &limits)
            .await
            .map_err(|source| DecodeFailure::Machine { source })
    }
}

/// A series that is being decoded, by one box from its first file to its last. Where a step fails, nothing more comes of it,
/// and the box sees no other case.
#[derive(Debug)]
pub struct SeriesDecoding<'d> {
    decoder: &'d mut Decoder,
    running: Running,
    /// Without its files.
    request: DecodeRequest<'d>,
    /// That were looked at.
    files: usize,
}

impl SeriesDecoding<'_> {
    /// Lets the box look where a file's slice lies. Files may come in any order.
    ///
    /// # Errors
    ///
    /// See [`DecodeFailure`].
    pub async fn look(&mut self, file: &[u8]) -> Result<(), DecodeFailure> {
        self.decoder.check_length(file)?;
        self.ask(&[&encode_step(Step::Look), file], |reply| decode_done(&reply)).await?;
        self.files += 1;
        Ok(())
    }

    /// The order in which files are to be [taken](Self::take): places, from 0, in the order in which the box looked at
    /// them.
    ///
    /// # Errors
    ///
    /// See [`DecodeFailure`]: of slices that are no volume, too.
    pub async fn order(&mut self) -> Result<Vec<usize>, DecodeFailure> {
        let files = self.files;
        self.ask(&[&encode_step(Step::Order)], |reply| decode_order(&reply, files)).await
    }

    /// Gives the box the next file in that order, with the same bytes as before.
    ///
    /// # Errors
    ///
    /// See [`DecodeFailure`].
    pub async fn take(&mut self, file: &[u8]) -> Result<(), DecodeFailure> {
        self.decoder.check_length(file)?;
        self.ask(&[&encode_step(Step::Take), file], |reply| decode_done(&reply)).await
    }

    /// The volume, once every file was taken.
    ///
    /// # Errors
    ///
    /// See [`DecodeFailure`].
    pub async fn finish(mut self) -> Result<SiteLocal<ReceivedImage>, DecodeFailure> {
        let request = self.request;
        let volume =
            self.ask(&[&encode_step(Step::End)], |reply| decode_reply(reply, &request)).await?;
        self.running.images_left -= SERIES_PATIENCE;
        self.decoder.child = Some(self.running);
        Ok(SiteLocal::new(volume))
    }

    async fn ask<T>(
        &mut self,
        parts: &[&[u8]],
        read: impl FnOnce(Vec<u8>) -> Option<Result<T, ImageFault>>,
    ) -> Result<T, DecodeFailure> {
        let wall_clock = Duration::from_secs(self.decoder.limits.wall_clock_seconds);
        let reply = self.running.child.call(parts, wall_clock).await?;
        let answer = read(reply).ok_or(DecodeFailure::undecodable("DECODER_REPLY_INVALID"))?;
        Ok(answer?)
    }
}
