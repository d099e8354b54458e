//! Passwords that commands need: asked for on the terminal without showing them, or read from a file.

use std::fs;
use std::path::Path;

use fedval_ambient::{Exit, Failure};

/// One password for each prompt, in order: a file's first lines, or what is typed.
pub(super) fn ask<const N: usize>(
    prompts: [&str; N],
    file: Option<&Path>,
) -> Result<[String; N], Failure> {
    match file {
        Some(file) => from_file(file),
        None => typed(prompts),
    }
}

fn from_file<const N: usize>(file: &Path) -> Result<[String; N], Failure> {
    let text = fs::read_to_string(file).map_err(|error| Failure::disk("read", file, &error))?;
    let lines: Vec<String> = text.lines().take(N).map(str::to_owned).collect();
    lines.try_into().map_err(|_| {
        Failure::new(
            Exit::Usage,
            "PASSWORD_FILE",
            format!("{} does not hold {N} line(s)", file.display()),
            "write each password in a line of its own",
        )
    })
}

fn typed<const N: usize>(prompts: [&str; N]) -> Result<[String; N], Failure> {
    let mut typed = Vec::with_capacity(N);
    for prompt in prompts {
        typed.push(rpassword::prompt_password(format!("{prompt}: ")).map_err(|error| {
            Failure::new(
                Exit::Usage,
                "PASSWORD_NOT_TYPED",
                format!("no password can be asked for here: {error}"),
                "type the command on a terminal, or give --password-file FILE",
            )
        })?);
    }
    Ok(typed.try_into().expect("one was typed for each prompt"))
}
