//! Who may hold a connection: so many in all, so many of one identity, few without a certificate.
//!
//! Outsiders cannot use up what enrolled parties need: handshakes in progress and connections without
//! a certificate have small limits of their own, far below the total.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Entropy, Timestamp};
use fedval_trust::{Certificate, PublicKey};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::tally::{Held, Tally};

/// Connections without a certificate: they can only enrol, which takes a second.
const ANONYMOUS: usize = 128;
const ANONYMOUS_BY_ADDRESS: usize = 16;
const ANONYMOUS_SECONDS: u64 = 60;
/// An agent holds one or two; one that lost its network leaves some behind for a minute.
const BY_IDENTITY: usize = 16;
/// A connection is made anew now and then, so that both sides' certificates are looked at again.
const OLDEST_SECONDS: u64 = 24 * 3600;

/// A connection is turned away. The name of the limit is a metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full(pub(super) &'static str);

/// The limits and what is held of them.
#[derive(Debug)]
pub(super) struct Admission {
    total: Arc<Semaphore>,
    anonymous: Arc<Semaphore>,
    by_address: Tally<IpAddr>,
    by_identity: Tally<PublicKey>,
}

/// A connection's place among all; taken before its handshake.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "held until dropped")] OwnedSemaphorePermit);

/// A connection's place among its like, and how long it may stay.
#[derive(Debug)]
pub(super) struct Stay {
    pub(super) life: Duration,
    #[expect(dead_code, reason = "held until dropped")]
    kind: Kind,
}

#[derive(Debug)]
#[expect(dead_code, reason = "held until dropped")]
enum Kind {
    Anonymous(OwnedSemaphorePermit, Held<IpAddr>),
    Certified(Held<PublicKey>),
}

impl Admission {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            total: Arc::new(Semaphore::new(config.max_connections as usize)),
            anonymous: Arc::new(Semaphore::new(ANONYMOUS)),
            by_address: Tally::new(ANONYMOUS_BY_ADDRESS),
            by_identity: Tally::new(BY_IDENTITY),
        }
    }

    /// A place for a connection of whom nothing is known yet.
    pub(super) fn enter(&self) -> Result<Place, Full> {
        Arc::clone(&self.total).try_acquire_owned().map(Place).map_err(|_| Full("total"))
    }

    /// A stay for a connection that showed this certificate, or none.
    pub(super) fn stay(
        &self,
        address: IpAddr,
        certificate: Option<&Certificate>,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Stay, Full> {
        let Some(certificate) = certificate else { return self.stay_anonymous(address) };
        let held = self.by_identity.hold(certificate.public_key()).ok_or(Full("identity"))?;
        let life = life(certificate, now, entropy);
        Ok(Stay { life, kind: Kind::Certified(held) })
    }

    fn stay_anonymous(&self, address: IpAddr) -> Result<Stay, Full> {
        let held = self.by_address.hold(address).ok_or(Full("address"))?;
        let permit = Arc::clone(&self.anonymous).try_acquire_owned();
        let permit = permit.map_err(|_| Full("anonymous"))?;
        let life = Duration::from_secs(ANONYMOUS_SECONDS);
        Ok(Stay { life, kind: Kind::Anonymous(permit, held) })
    }
}

/// Half a day to a day, so that agents that connected together do not return together; and never
/// longer than the certificate holds.
fn life(certificate: &Certificate, now: Timestamp, entropy: &dyn Entropy) -> Duration {
    let random = u64::from(u16::from_le_bytes([entropy.bytes32()[0], entropy.bytes32()[1]]));
    let half = OLDEST_SECONDS / 2;
    let age = half + half * random / u64::from(u16::MAX);
    let left = certificate.not_after().unix_millis() - now.unix_millis();
    Duration::from_secs(age).min(Duration::from_millis(u64::try_from(left).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use fedval_ambient::{Clock as _, MockClock, SeededEntropy};
    use fedval_trust::{Authority, Role, SecretKey};

    use super::*;

    fn admission(max_connections: u32) -> Admission {
        let text = format!(
            "listen = \"127.0.0.1:0\"\nurl = \"https://localhost\"\n\
             max_connections = {max_connections}"
        );
        Admission::new(&toml::from_str(&text).unwrap())
    }

    fn certificate(days: i64, seed: u64) -> (Certificate, MockClock) {
        let (clock, entropy) = (MockClock::default(), SeededEntropy::new(seed));
        let authority = Authority::create(&clock, &entropy).unwrap();
        let role = Role::Site("site-a".parse().unwrap());
        let key = SecretKey::generate(&entropy);
        (authority.issue(&role, &key, &[], days, &clock, &entropy).unwrap(), clock)
    }

    #[test]
    fn one_address_cannot_take_every_place_of_those_without_a_certificate() {
        let (admission, now) = (admission(1000), MockClock::default().now());
        let entropy = SeededEntropy::new(1);
        let stay = |last: u8| admission.stay(IpAddr::from([10, 0, 0, last]), None, now, &entropy);
        let mut stays: Vec<_> = (0..ANONYMOUS_BY_ADDRESS).map(|_| stay(1).unwrap()).collect();
        assert_eq!(stay(1).unwrap_err(), Full("address"));
        stays.push(stay(2).unwrap());
        for last in 3..=u8::MAX {
            stays.extend(stay(last));
        }
        assert_eq!(stays.len(), ANONYMOUS);
        assert_eq!(stay(2).unwrap_err(), Full("anonymous"));
        stays.clear();
        assert!(stay(1).is_ok());
    }

    #[test]
    fn one_identity_holds_so_many_connections_and_all_together_so_many() {
        let (first, clock) = certificate(30, 1);
        let (second, _) = certificate(30, 2);
        let (admission, address) = (admission(2), IpAddr::from([10, 0, 0, 1]));
        let entropy = SeededEntropy::new(1);
        let stay = |certificate| admission.stay(address, Some(certificate), clock.now(), &entropy);
        let stays: Vec<_> = (0..BY_IDENTITY).map(|_| stay(&first).unwrap()).collect();
        assert_eq!(stay(&first).unwrap_err(), Full("identity"));
        assert!(stay(&second).is_ok());
        drop(stays);
        let _places = (admission.enter().unwrap(), admission.enter().unwrap());
        assert_eq!(admission.enter().unwrap_err(), Full("total"));
    }

    #[test]
    fn a_connection_lives_half_a_day_to_a_day_but_not_longer_than_its_certificate() {
        let day = Duration::from_secs(OLDEST_SECONDS);
        let (certificate, clock) = certificate(1, 1);
        let mut lives = Vec::new();
        for seed in 0..20 {
            lives.push(life(&certificate, clock.now(), &SeededEntropy::new(seed)));
        }
        assert!(lives.iter().all(|life| (day / 2..=day).contains(life)));
        assert!(lives.iter().any(|life| *life != lives[0]), "they do not all end together");
        clock.advance_seconds(24 * 3600 - 60);
        let last = life(&certificate, clock.now(), &SeededEntropy::new(1));
        assert!(last <= Duration::from_mins(1));
        clock.advance_seconds(3600);
        assert_eq!(life(&certificate, clock.now(), &SeededEntropy::new(1)), Duration::ZERO);
    }
}
