//! `fedval backup DIR`.

use std::fs;
use std::path::Path;

use fedval_ambient::Failure;
use fedval_ambient::terminal::Output;
use fedval_store::{Holdings, backup_write};
use serde_json::json;

use crate::config::Config;
use crate::durable;
use crate::home::Home;

pub(super) async fn run(home: &Home, folder: &Path, output: Output) -> Result<(), Failure> {
    let config = home.config()?;
    let store = durable::store(home.folder(), &config).await?;
    let artifacts = durable::artifacts(home.folder(), &config).await?;
    let from =
        Holdings { home: home.folder(), store: store.as_ref(), artifacts: artifacts.as_ref() };
    output.progress("Copying rows, models and keys…");
    let absent = backup_write(folder, from, &files_of(home, &config)?).await?;
    let absent: Vec<String> = absent.iter().map(ToString::to_string).collect();
    let shown = folder.display();
    let missing = if absent.is_empty() {
        String::new()
    } else {
        format!("\nModels that studies name and nobody uploaded: {}.", absent.join(", "))
    };
    output.say(
        &json!({ "backup": shown.to_string(), "absent_models": absent }),
        &format!(
            "The coordinator's state is in {shown}. It holds the consortium's keys: keep it as you \
             keep the coordinator's own folder.{missing}\n\n\
             To go back: fedval restore {shown} --home NEW"
        ),
    );
    Ok(())
}

/// Files that are copied as they are: keys and configuration, and what the configuration names in the
/// same folder. What lies elsewhere is somebody else's to keep.
fn files_of(home: &Home, config: &Config) -> Result<Vec<String>, Failure> {
    let folder = home.folder().join("pki");
    let failed = |error| Failure::disk("read", &folder, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        files.push(format!("pki/{}", name.to_string_lossy()));
    }
    let named = [&config.store_password_file, &config.artifacts_credentials_file];
    let ours = named.into_iter().flatten().filter(|file| file.is_relative());
    files.extend(ours.map(|file| file.to_string_lossy().into_owned()));
    files.sort();
    files.dedup();
    files.push("fedval.toml".to_owned());
    Ok(files)
}
