//! A comparison on its way out of the box: which masks hold anything in a byte, then three numbers.

use fedval_stats::segmentation::Presence;

use super::{MaskComparison, MaskMeasures};

/// Length of a comparison.
pub(in crate::decode) const LENGTH: usize = 25;

const PRESENCES: [Presence; 4] =
    [Presence::Both, Presence::OnlyReference, Presence::OnlyPredicted, Presence::Neither];

pub(in crate::decode) fn encode(comparison: &MaskComparison) -> [u8; LENGTH] {
    let mut reply = [0; LENGTH];
    let place = PRESENCES.iter().position(|presence| *presence == comparison.presence);
    reply[0] = place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX);
    if let Some(MaskMeasures { dice, hd95_mm, nsd }) = comparison.measures {
        for (at, number) in [dice, hd95_mm, nsd].into_iter().enumerate() {
            reply[1 + 8 * at..][..8].copy_from_slice(&number.to_le_bytes());
        }
    }
    reply
}

/// Reads what hostile bytes may have shaped; `None` of what no two masks can have.
pub(in crate::decode) fn decode(reply: &[u8]) -> Option<MaskComparison> {
    let (presence, numbers) = reply.split_first()?;
    let presence = *PRESENCES.get(usize::from(*presence))?;
    let (numbers, rest) = numbers.as_chunks::<8>();
    let [dice, hd95_mm, nsd] = *numbers else { return None };
    let [dice, hd95_mm, nsd] = [dice, hd95_mm, nsd].map(f64::from_le_bytes);
    let is_possible = [dice, nsd].iter().all(|share| (0.0..=1.0).contains(share))
        && hd95_mm.is_finite()
        && hd95_mm >= 0.0
        && rest.is_empty();
    let measures = (presence == Presence::Both).then_some(MaskMeasures { dice, hd95_mm, nsd });
    is_possible.then_some(MaskComparison { presence, measures })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(dice: f64, hd95_mm: f64, nsd: f64) -> MaskComparison {
        let measures = Some(MaskMeasures { dice, hd95_mm, nsd });
        MaskComparison { presence: Presence::Both, measures }
    }

    #[test]
    fn a_comparison_survives_the_pipe_and_odd_ones_are_refused() {
        let comparison = both(0.1 + 0.2, 4.7, 1.0);
        assert!(decode(&encode(&comparison)) == Some(comparison));
        for presence in &PRESENCES[1..] {
            let comparison = MaskComparison { presence: *presence, measures: None };
            assert!(decode(&encode(&comparison)) == Some(comparison));
        }
        for (dice, hd95_mm, nsd) in [
            (1.1, 0.0, 0.0),
            (-0.1, 0.0, 0.0),
            (0.5, -1.0, 0.5),
            (0.5, f64::INFINITY, 0.5),
            (0.5, f64::NAN, 0.5),
            (0.5, 1.0, f64::NAN),
        ] {
            assert!(decode(&encode(&both(dice, hd95_mm, nsd))).is_none());
        }
        let mut odd = encode(&comparison);
        odd[0] = 4;
        assert!(decode(&odd).is_none() && decode(&odd[..24]).is_none() && decode(&[]).is_none());
    }
}
