//! `fedval restore DIR`.

use std::fs;
use std::path::Path;

use fedval_ambient::Failure;
use fedval_ambient::terminal::Output;
use fedval_store::{Backup, Holdings};
use serde_json::json;

use crate::config::Config;
use crate::durable;
use crate::home::Home;

pub(super) async fn run(home: &Home, folder: &Path, output: Output) -> Result<(), Failure> {
    output.progress("Checking every file of the backup…");
    let backup = Backup::open(folder)?;
    let config = Home::new(folder).config()?;
    Backup::make_home(home.folder())?;
    let filled = fill(&backup, home, &config).await;
    if filled.is_err() {
        // It was empty before: nothing of anybody's is lost, and the command can be run again.
        let _ = fs::remove_dir_all(home.folder());
    }
    filled?;
    let [sites, studies, results] = backup.counts();
    let shown = home.folder().display();
    output.say(
        &json!({ "home": shown.to_string(), "sites": sites, "studies": studies, "results": results }),
        &format!(
            "The coordinator is back in {shown}: {sites} sites, {studies} studies, {results} \
             results. Agents hand in again what was recorded after the backup.\n\n\
             Next: fedval serve --home {shown}"
        ),
    );
    Ok(())
}

async fn fill(backup: &Backup, home: &Home, config: &Config) -> Result<(), Failure> {
    // Keys of the store that lie in the folder are needed before the store is.
    backup.restore_files(home.folder())?;
    let store = durable::store(home.folder(), config).await?;
    let artifacts = durable::artifacts(home.folder(), config).await?;
    let to = Holdings { home: home.folder(), store: store.as_ref(), artifacts: artifacts.as_ref() };
    Ok(backup.restore(to).await?)
}
