//! Arguments from bytes.

use arbitrary::Unstructured;
use fedval_stats::aggregate::{CrossTable, RankSums, RankedCase, TwoByTwo, rank_sums};
use fedval_stats::auroc::{Auroc, delong};
use fedval_stats::calibration::CalibrationCase;
use fedval_stats::control_chart::Baseline;
use fedval_stats::paired::PairedCounts;
use fedval_stats::segmentation::Masks;
use fedval_stats::shift::Pair;
use fedval_stats::synthesis::SiteEstimates;
use ndarray::{Array2, ArrayD, IxDyn};

/// Most elements of a list: more find no other paths.
const MOST: usize = 24;

/// Bytes that are read as arguments; when they end, everything is 0.
#[derive(Debug)]
pub struct Draw<'b>(Unstructured<'b>);

impl<'b> Draw<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or_default()
    }

    /// All bytes that are left.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let left = self.0.len();
        self.0.bytes(left).unwrap_or_default().to_vec()
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// Below `end`, which is positive.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// Every number that a program can hold, the awkward ones often.
    pub(crate) fn number(&mut self) -> f64 {
        match self.byte() % 10 {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => f64::MAX,
            3 => f64::MIN_POSITIVE,
            4 => -0.0,
            5 => 1.0,
            6 | 7 => f64::from(self.byte()) / 255.0,
            8 => f64::from(self.0.arbitrary::<i16>().unwrap_or_default()) / 64.0,
            _ => self.0.arbitrary().unwrap_or_default(),
        }
    }

    /// Mostly between 0 and 1.
    pub(crate) fn share(&mut self) -> f64 {
        if self.byte().is_multiple_of(8) { self.number() } else { f64::from(self.byte()) / 255.0 }
    }

    /// Small ones often.
    pub(crate) fn count(&mut self) -> u64 {
        match self.byte() % 8 {
            0 => self.0.arbitrary().unwrap_or_default(),
            1 => u64::MAX,
            2 => 0,
            _ => u64::from(self.byte()),
        }
    }

    pub(crate) fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let length = self.below(MOST);
        (0..length).map(|_| one(self)).collect()
    }

    pub(crate) fn numbers(&mut self) -> Vec<f64> {
        self.list(Self::number)
    }

    pub(crate) fn counts(&mut self) -> Vec<u64> {
        self.list(Self::count)
    }

    /// A probability, or what should be one, beside a label.
    pub(crate) fn calls(&mut self) -> Vec<(f64, bool)> {
        self.list(|draw| (draw.share(), draw.flag()))
    }

    pub(crate) fn calibration_cases(&mut self) -> Vec<CalibrationCase> {
        self.list(|draw| CalibrationCase {
            logit: draw.number(),
            event: draw.flag(),
            cluster: draw.byte().into(),
        })
    }

    pub(crate) fn ranked(&mut self) -> Vec<RankedCase> {
        self.list(|draw| RankedCase {
            rank_key: i64::from(draw.byte() % 6),
            positive: draw.flag(),
            cluster: u32::from(draw.byte() % 6),
        })
    }

    /// Sums of real cases, or any that could come over a wire.
    pub(crate) fn rank_sums(&mut self) -> RankSums {
        if self.flag() {
            return rank_sums(&self.ranked()).0;
        }
        RankSums {
            n_pos: self.count(),
            n_neg: self.count(),
            doubled_u: self.wide(),
            pos_squares: self.wide(),
            neg_squares: self.wide(),
        }
    }

    pub(crate) fn wide(&mut self) -> u128 {
        if self.flag() { self.count().into() } else { self.0.arbitrary().unwrap_or_default() }
    }

    pub(crate) fn auroc(&mut self) -> Option<Auroc> {
        delong(&self.rank_sums()).ok()
    }

    pub(crate) fn table(&mut self) -> TwoByTwo {
        TwoByTwo { tp: self.count(), fn_: self.count(), fp: self.count(), tn: self.count() }
    }

    pub(crate) fn paired(&mut self) -> PairedCounts {
        PairedCounts {
            both: self.count(),
            only_first: self.count(),
            only_second: self.count(),
            neither: self.count(),
        }
    }

    pub(crate) fn cross_table(&mut self) -> Option<CrossTable> {
        let classes = 1 + self.below(4);
        let counts = (0..classes * classes).map(|_| self.count()).collect();
        CrossTable::new(Array2::from_shape_vec((classes, classes), counts).ok()?).ok()
    }

    pub(crate) fn matrix(&mut self, columns: usize) -> Array2<f64> {
        let rows = self.below(8);
        Array2::from_shape_fn((rows, columns), |_| self.number())
    }

    /// Estimates that hold together, since nothing else can be made into sites.
    pub(crate) fn sites(&mut self) -> Option<SiteEstimates> {
        let rows = self.list(|draw| (draw.number(), draw.number()));
        let (yi, vi) = rows.into_iter().unzip();
        SiteEstimates::new(yi, vi).ok()
    }

    pub(crate) fn baseline(&mut self) -> Option<Baseline> {
        Baseline::new(self.number(), self.number()).ok()
    }

    pub(crate) fn pair(&mut self) -> Option<Pair> {
        Pair::new(self.counts(), self.counts()).ok()
    }

    pub(crate) fn masks(&mut self) -> Option<Masks> {
        let axes = 2 + self.below(2);
        let shape: Vec<usize> = (0..axes).map(|_| 1 + self.below(5)).collect();
        let mut mask = || ArrayD::from_shape_fn(IxDyn(&shape), |_| self.byte().is_multiple_of(3));
        let (reference, predicted) = (mask(), mask());
        let spacing: Vec<f64> = (0..axes).map(|_| self.number()).collect();
        Masks::new(&reference, &predicted, &spacing).ok()
    }
}
