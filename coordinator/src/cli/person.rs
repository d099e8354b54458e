//! `fedval person admit | dismiss | list | issue-password | password`.

use std::path::Path;

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Exit, Failure, OsEntropy, SystemClock};
use fedval_proto as proto;
use fedval_study::{Name, PersonRole};
use fedval_trust::{Role, SecretKey};
use serde_json::json;

use super::args::Person;
use super::password;
use crate::client::{connect, refusal};
use crate::config;
use crate::home::{CERTIFICATE_DAYS, Home};

pub(super) async fn run(home: &Home, command: Person, output: Output) -> Result<(), Failure> {
    match command {
        Person::Admit { name, role, out } => admit(home, &name, role, &out, output).await,
        Person::Dismiss { name } => {
            let mut client = connect(home).await?;
            let request = proto::DismissPersonRequest { name: name.to_string() };
            client.dismiss_person(request).await.map_err(|status| refusal(&status))?;
            let text = format!("{name} may call the coordinator no longer.");
            output.say(&json!({ "name": name, "dismissed": true }), &text);
            Ok(())
        }
        Person::List => list(home, output).await,
        Person::IssuePassword { name } => issue_password(home, &name, output).await,
        Person::Password { password_file } => {
            change_password(home, password_file.as_deref(), output).await
        }
    }
}

async fn issue_password(home: &Home, name: &Name, output: Output) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let request = proto::IssuePasswordRequest { name: name.to_string() };
    let issued = client.issue_password(request).await.map_err(|status| refusal(&status))?;
    let password = issued.into_inner().password;
    output.say(
        &json!({ "name": name, "password": password }),
        &format!(
            "{password}\n\nIt opens nothing but its own replacement. Tell it {name} by another way than the folder; \
             next, there: fedval person password"
        ),
    );
    Ok(())
}

async fn change_password(home: &Home, file: Option<&Path>, output: Output) -> Result<(), Failure> {
    let prompts = ["Old password", "New password, 15 characters or more"];
    let [old_password, new_password] = password::ask(prompts, file)?;
    let mut client = connect(home).await?;
    let request = proto::ChangePasswordRequest { old_password, new_password };
    client.change_password(request).await.map_err(|status| refusal(&status))?;
    output
        .say(&json!({ "changed": true }), "The password is changed; what it had opened is closed.");
    Ok(())
}

/// Makes a key and a certificate in a folder for the person, and has the coordinator know it.
async fn admit(
    home: &Home,
    name: &Name,
    role: PersonRole,
    out: &Path,
    output: Output,
) -> Result<(), Failure> {
    if out.exists() {
        return Err(Failure::new(
            Exit::Usage,
            "HOME_EXISTS",
            format!("{} is there already", out.display()),
            "give a new folder: it will hold the person's key",
        ));
    }
    if !home.folder().join("pki/root.key").exists() {
        return Err(Failure::new(
            Exit::Usage,
            "ROOT_KEY_ABSENT",
            format!("{} does not hold the root's key", home.folder().display()),
            "type it where `fedval init` was run: the root certifies people",
        ));
    }
    let identity = home.identity()?;
    let key = SecretKey::generate(&OsEntropy);
    let certificate = identity.authority.issue(
        &Role::Person(role, name.clone()),
        &key,
        &[],
        CERTIFICATE_DAYS,
        &SystemClock,
        &OsEntropy,
    )?;
    let mut client = connect(home).await?;
    let request = proto::AdmitPersonRequest {
        name: name.to_string(),
        role: role.to_string(),
        public_key: key.public().as_bytes().to_vec(),
    };
    client.admit_person(request).await.map_err(|status| refusal(&status))?;
    let theirs = Home::new(out);
    theirs.create()?;
    theirs.write_pair("operator", &key, &certificate)?;
    Home::write_new(&out.join("pki/root.pem"), &home.certificate("root")?.to_pem())?;
    let url = home.config()?.url;
    Home::write_new(&theirs.config_file(), &config::of_person(&url))?;
    output.say(
        &json!({ "name": name, "role": role, "folder": out.display().to_string() }),
        &format!(
            "{name} is admitted as {role}. Hand the folder {out} over on a way that nobody else reads, and \
             keep no copy: it holds the key.\n\nNext, there: fedval study list --home {out}",
            out = out.display()
        ),
    );
    Ok(())
}

async fn list(home: &Home, output: Output) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let listed = client.list_people(proto::ListPeopleRequest {}).await;
    let people = listed.map_err(|status| refusal(&status))?.into_inner().people;
    let rows = people.iter().map(|person| vec![person.name.clone(), person.role.clone()]);
    let value: Vec<_> =
        people.iter().map(|person| json!({ "name": person.name, "role": person.role })).collect();
    output.say(&json!({ "people": value }), &table(&["name", "role"], rows));
    Ok(())
}
