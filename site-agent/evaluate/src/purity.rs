//! The order in which cases go through the model, and which go through it again (DC-22).
//!
//! Both are drawn with the site's secret: a model or a manifest cannot aim at them.

use fedval_disclosure::rules::dc22_model_purity::reruns;
use fedval_study::RoundId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What an order is drawn for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pass {
    /// Every case once.
    First,
    /// Some once more.
    Again,
}

/// `cases` in an order that only this site can know.
pub(crate) fn ordered(
    secret: &[u8; 32],
    round: &RoundId,
    pass: Pass,
    mut cases: Vec<u32>,
) -> Vec<u32> {
    // Eight of its bytes tell a million cases apart; where they do not, the manifest's order is as good. All keys are in
    // memory at once.
    cases.sort_by_cached_key(|case| {
        let mac = Hmac::<Sha256>::new_from_slice(secret);
        let mut mac = mac.expect("HMAC takes a key of any length");
        mac.update(format!("{pass:?} {round} {case}").as_bytes());
        let key: [u8; 32] = mac.finalize().into_bytes().into();
        std::array::from_fn::<u8, 8, _>(|place| key[place])
    });
    cases
}

/// The cases that go through the model again.
pub(crate) fn again(secret: &[u8; 32], round: &RoundId, cases: Vec<u32>) -> Vec<u32> {
    let count = reruns(cases.len());
    let mut drawn = ordered(secret, round, Pass::Again, cases);
    drawn.truncate(count);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_secrets_and_another_for_the_second_pass() {
        let round: RoundId = "s-r1".parse().unwrap();
        let all: Vec<u32> = (0..400).collect();
        let order = |secret: u8, pass| ordered(&[secret; 32], &round, pass, all.clone());
        assert_eq!(order(1, Pass::First), order(1, Pass::First));
        assert_ne!(order(1, Pass::First), order(2, Pass::First));
        assert_ne!(order(1, Pass::First), order(1, Pass::Again));
        let mut sorted = order(1, Pass::First);
        sorted.sort_unstable();
        assert_eq!(sorted, all);
        assert_eq!(again(&[1; 32], &round, all).len(), 20);
    }
}
