//! This site's certificate: whether it holds, and for how long.

use fedval_ambient::{Exit, Failure, Timestamp};
use fedval_trust::CertificateError;

use crate::home::Identity;

const DAY_MILLIS: i64 = 24 * 3600 * 1000;

/// A running agent renews from half life on. Where only a quarter is left, it does not.
pub(super) fn check(identity: &Identity, now: Timestamp) -> Result<String, Failure> {
    let certificate = &identity.certificate;
    let (half, end) = (certificate.half_life(), certificate.not_after());
    match certificate.verify(&identity.root, now) {
        Ok(()) => {}
        Err(CertificateError::NotValidThen) => {
            return Err(Failure::new(
                Exit::AnswerIsNo,
                "CERTIFICATE_NOT_VALID",
                format!(
                    "this site's certificate, which ends {end}, does not hold now: the clock says {now}"
                ),
                "if the clock is wrong, correct it (timedatectl set-ntp true); otherwise ask the \
                 coordinator's operator for a new invitation and enrol again",
            ));
        }
        Err(error) => return Err(error.into()),
    }
    let days = (end.unix_millis() - now.unix_millis()) / DAY_MILLIS;
    let quarter = half.unix_millis() + (end.unix_millis() - half.unix_millis()) / 2;
    if now.unix_millis() > quarter {
        return Err(Failure::new(
            Exit::AnswerIsNo,
            "CERTIFICATE_ENDS",
            format!("this site's certificate ends in {days} days, on {end}, and was not renewed"),
            "keep `fedval-agent run` running and connected, which renews it; if that does not help, \
             ask the coordinator's operator for a new invitation before it ends",
        ));
    }
    let half =
        if now > half { "is over, renewal is due".to_owned() } else { format!("ends {half}") };
    Ok(format!("{days} days left, until {end}; its first half {half}"))
}

#[cfg(test)]
mod tests {
    use fedval_ambient::{Clock as _, MockClock, SeededEntropy};
    use fedval_trust::{Authority, Role, SecretKey};

    use super::*;

    #[test]
    fn a_certificate_is_told_by_what_is_left_of_it() {
        let (clock, entropy) = (MockClock::default(), SeededEntropy::new(1));
        let authority = Authority::create(&clock, &entropy).unwrap();
        let key = SecretKey::generate(&entropy);
        let site = "site-a".parse::<fedval_study::SiteId>().unwrap();
        let role = Role::Site(site.clone());
        let certificate = authority.issue(&role, &key, &[], 30, &clock, &entropy).unwrap();
        let identity = Identity { site, key, certificate, root: authority.root().clone() };
        let day = 24 * 3600;
        let after = |days: i64| check(&identity, clock.now().plus_seconds(days * day));
        assert!(
            after(0)
                .unwrap()
                .starts_with("30 days left, until 2001-10-09T01:46:40Z; its first half ends ")
        );
        assert!(
            after(16).unwrap().contains("14 days left")
                && after(16).unwrap().contains("renewal is due")
        );
        let code = |found: Result<String, Failure>| found.unwrap_err().code;
        assert_eq!(code(after(23)), "CERTIFICATE_ENDS");
        let ended = after(31).unwrap_err();
        assert_eq!(ended.code, "CERTIFICATE_NOT_VALID");
        assert!(
            ended.message.contains("2001-10-09T01:46:40Z")
                && ended.message.contains("2001-10-10T01:46:40Z")
        );
        assert_eq!(code(after(-400)), "CERTIFICATE_NOT_VALID");
    }
}
