//! `fedval backup DIR`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use fedval_ambient::Failure;
use fedval_ambient::terminal::Output;
use fedval_core::{Artifacts, Store};
use fedval_store::{
    ArtifactsConfig, BucketAccess, Holdings, StoreConfig, artifacts_open, backup_write, store_open,
};
use serde_json::json;

use crate::home::Home;

pub(super) async fn run(home: &Home, folder: &Path, output: Output) -> Result<(), Failure> {
    home.config()?;
    let (store, artifacts) = open(home).await?;
    let from =
        Holdings { home: home.folder(), store: store.as_ref(), artifacts: artifacts.as_ref() };
    output.progress("Copying rows, models and keys…");
    let absent = backup_write(folder, from, &files_of(home)?).await?;
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

/// The store and the artifacts that a coordinator's folder names.
pub(super) async fn open(home: &Home) -> Result<(Arc<dyn Store>, Arc<dyn Artifacts>), Failure> {
    let folder = home.folder();
    let store = StoreConfig::parse(None, None, folder)?;
    let artifacts = ArtifactsConfig::parse(None, BucketAccess::default(), folder)?;
    Ok((store_open(&store).await?, artifacts_open(&artifacts).await?))
}

/// Files that are copied as they are.
fn files_of(home: &Home) -> Result<Vec<String>, Failure> {
    let folder = home.folder().join("pki");
    let failed = |error| Failure::disk("read", &folder, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        files.push(format!("pki/{}", name.to_string_lossy()));
    }
    files.sort();
    files.push("fedval.toml".to_owned());
    Ok(files)
}
