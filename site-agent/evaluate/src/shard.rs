//! Which process of several evaluates a patient.

use fedval_study::RoundId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Most processes that one evaluation is split among.
pub const MOST_SHARDS: u32 = 1_000;

/// One process of several: all cases of a patient are one process's, and which is drawn with the site's secret. So neither the
/// size of a file nor the time that a process takes says anything about a patient to whoever does not hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    of: u32,
}

impl Shard {
    /// The process `index`, from 0, of `of`; `None` where there is no such one.
    #[must_use]
    pub const fn new(index: u32, of: u32) -> Option<Self> {
        if index < of && of <= MOST_SHARDS { Some(Self { index, of }) } else { None }
    }

    /// Whether it evaluates the patient with this id.
    pub(crate) fn holds(self, secret: &[u8; 32], round: &RoundId, patient_id: &str) -> bool {
        let mac = Hmac::<Sha256>::new_from_slice(secret);
        let mut mac = mac.expect("HMAC takes a key of any length");
        // Debug quotes and escapes: no other text of ours looks like it.
        mac.update(format!("shard {round} {patient_id:?}").as_bytes());
        let drawn: [u8; 32] = mac.finalize().into_bytes().into();
        let drawn = u64::from_be_bytes(std::array::from_fn(|place| drawn[place]));
        drawn % u64::from(self.of) == u64::from(self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_patient_is_one_process_s_and_all_have_work() {
        let round: RoundId = "s-r1".parse().unwrap();
        let shards: Vec<Shard> = (0..3).map(|index| Shard::new(index, 3).unwrap()).collect();
        let mut counts = [0; 3];
        for patient in 0..300 {
            let id = format!("P{patient}");
            let holds: Vec<usize> =
                (0..3).filter(|place| shards[*place].holds(&[1; 32], &round, &id)).collect();
            let [only] = holds[..] else { panic!("{id} is in {holds:?}") };
            counts[only] += 1;
        }
        // A hundred each, give or take five standard deviations of √(300 · 1/3 · 2/3).
        assert!(counts.iter().all(|count| (59..=141).contains(count)), "{counts:?}");
        let alone = Shard::new(0, 1).unwrap();
        assert!(alone.holds(&[1; 32], &round, "P1"));
        assert!(Shard::new(3, 3).is_none() && Shard::new(0, 0).is_none());
        assert!(Shard::new(0, MOST_SHARDS + 1).is_none());
    }
}
