//! How often one address may try a token that does not work.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use fedval_ambient::Problem;

/// Wrong tokens from one address within a minute.
const MOST_WRONG: usize = 5;
const WINDOW: Duration = Duration::from_mins(1);
/// Addresses remembered; beyond it the oldest are forgotten, so that memory stays bounded.
const MOST_ADDRESSES: usize = 4096;

/// An address tried too many wrong tokens.
#[derive(Debug, thiserror::Error)]
#[error("too many wrong tokens came from this address")]
pub(super) struct TooManyTries;

impl Problem for TooManyTries {
    fn code(&self) -> &'static str {
        "TOO_MANY_TRIES"
    }

    fn remedy(&self) -> Option<String> {
        Some("wait a minute, then copy the whole token and try again".to_owned())
    }
}

/// Wrong tries of the last minute, by address.
#[derive(Debug, Default)]
pub(super) struct WrongTries(Mutex<BTreeMap<IpAddr, Vec<Duration>>>);

impl WrongTries {
    /// Whether the address may try.
    pub(super) fn check(&self, address: IpAddr, now: Duration) -> Result<(), TooManyTries> {
        let mut tries = self.0.lock().expect("no panic happens while it is held");
        let Some(recent) = tries.get_mut(&address) else { return Ok(()) };
        recent.retain(|then| now.saturating_sub(*then) < WINDOW);
        if recent.len() < MOST_WRONG { Ok(()) } else { Err(TooManyTries) }
    }

    /// Counts a wrong token.
    pub(super) fn count(&self, address: IpAddr, now: Duration) {
        let mut tries = self.0.lock().expect("no panic happens while it is held");
        if tries.len() >= MOST_ADDRESSES {
            tries.retain(|_, recent| {
                recent.last().is_some_and(|then| now.saturating_sub(*then) < WINDOW)
            });
        }
        while tries.len() >= MOST_ADDRESSES && tries.pop_first().is_some() {}
        tries.entry(address).or_default().push(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_tries_in_a_minute_close_the_door_to_one_address_for_a_minute() {
        let tries = WrongTries::default();
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let start = Duration::from_secs(1);
        for _ in 0..MOST_WRONG {
            assert!(tries.check(one, start).is_ok());
            tries.count(one, start);
        }
        assert!(tries.check(one, start).is_err());
        assert!(tries.check(other, start).is_ok());
        assert!(tries.check(one, start + WINDOW).is_ok());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let tries = WrongTries::default();
        let now = Duration::ZERO;
        for address in 0..3 * u32::try_from(MOST_ADDRESSES).unwrap() {
            tries.count(IpAddr::from(address.to_be_bytes()), now);
        }
        assert!(tries.0.lock().unwrap().len() <= MOST_ADDRESSES);
    }
}
