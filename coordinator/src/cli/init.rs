//! `fedval init`.

use fedval_ambient::terminal::Output;
use fedval_ambient::{Clock as _, Exit, Failure, OsEntropy, SystemClock};
use fedval_core::port::{LogStore as _, PersonRow, SiteStore as _};
use fedval_store::SqliteStore;
use fedval_study::{LogEntry, LogEvent, Name, PersonRole, Sha256Digest};
use fedval_trust::{Authority, Certificate, Role, SecretKey};
use serde_json::json;

use super::args::Init;
use crate::config;
use crate::home::{CERTIFICATE_DAYS, Home};

pub(super) async fn run(home: &Home, command: &Init, output: Output) -> Result<(), Failure> {
    if home.config_file().exists() {
        return Err(Failure::new(
            Exit::Usage,
            "HOME_EXISTS",
            format!("{} already holds a coordinator", home.folder().display()),
            "give another --home, or keep using this one",
        ));
    }
    let operator: Name = command.operator.parse().map_err(|error| {
        Failure::new(Exit::Usage, "ID_INVALID", format!("--operator: {error}"), "such as `admin`")
    })?;
    home.create()?;
    let authority = Authority::create(&SystemClock, &OsEntropy)?;
    home.write_pair("root", authority.key(), authority.root())?;
    issue(home, &authority, "server", &Role::Server, &command.hosts)?;
    issue(home, &authority, "coordinator", &Role::Coordinator, &[])?;
    issue(home, &authority, "sponsor", &Role::Sponsor, &[])?;
    let role = Role::Person(PersonRole::Operator, operator.clone());
    let certificate = issue(home, &authority, "operator", &role, &[])?;
    let store = SqliteStore::open(&home.database()).await?;
    let (role, key) = (PersonRole::Operator, certificate.public_key());
    store.person_put(&PersonRow { name: operator.clone(), role, key }).await?;
    let admitted =
        LogEvent::PersonAdmitted { name: operator, role, key: Sha256Digest::of(key.as_bytes()) };
    let at_ms = SystemClock.now().unix_millis();
    store.log_append(&[LogEntry { at_ms, event: admitted }]).await?;
    let host = command.hosts.first().map_or("localhost", String::as_str);
    let url = format!("https://{host}:{}", command.listen.port());
    // Last, so that a folder with a configuration is complete.
    Home::write_new(&home.config_file(), &config::first(command.listen, &url))?;
    say(home, &url, &authority, output);
    Ok(())
}

fn issue(
    home: &Home,
    authority: &Authority,
    name: &str,
    role: &Role,
    hosts: &[String],
) -> Result<Certificate, Failure> {
    let key = SecretKey::generate(&OsEntropy);
    let certificate =
        authority.issue(role, &key, hosts, CERTIFICATE_DAYS, &SystemClock, &OsEntropy)?;
    home.write_pair(name, &key, &certificate)?;
    Ok(certificate)
}

fn say(home: &Home, url: &str, authority: &Authority, output: Output) {
    let fingerprint = authority.root().fingerprint().to_string();
    let folder = home.folder().display();
    output.say(
        &json!({ "home": folder.to_string(), "url": url, "root_fingerprint": fingerprint }),
        &format!(
            "A consortium was made in {folder}.\n\
             Root fingerprint: {fingerprint}\n\
             Back up {folder}/pki, and take sponsor.key offline once studies are locked: locking is \
             all it is for.\n\n\
             Next: fedval serve --home {folder}"
        ),
    );
}
