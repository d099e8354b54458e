//! `fedval-agent pause | resume`: nothing is evaluated meanwhile; the agent stays connected, and what
//! was released is sent. A case in progress is given up and evaluated again later.

use std::fs;
use std::io::ErrorKind;

use fedval_ambient::Failure;
use fedval_ambient::terminal::Output;
use serde_json::json;

use crate::home::{Home, write};

pub(super) fn pause(home: &Home, output: Output) -> Result<(), Failure> {
    home.enrolled()?;
    write(&home.paused_file(), "")?;
    output.say(
        &json!({ "paused": true }),
        "Nothing is evaluated until: fedval-agent resume\n\
         The agent stays connected, and what a steward releases is still sent.",
    );
    Ok(())
}

pub(super) fn resume(home: &Home, output: Output) -> Result<(), Failure> {
    home.enrolled()?;
    let file = home.paused_file();
    match fs::remove_file(&file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Failure::disk("remove", &file, &error));
        }
        _ => {}
    }
    output.say(&json!({ "paused": false }), "Evaluation goes on where it was.");
    Ok(())
}
