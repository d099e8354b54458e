//! The agent's code and the loop, in alternation, in the same minutes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;

use crate::error::BenchError;
use crate::evaluation::{EngineChoice, EngineName};
use crate::figure::Figure;
use crate::memory::peak_while;

/// What to compare.
#[derive(Debug, Args)]
pub(crate) struct Comparison {
    /// Folder with the sites and `pneumonia.onnx`.
    data: PathBuf,
    /// The loop: a program of Python that takes a site, a model, workers, repetitions and a kind.
    python_loop: PathBuf,
    /// The interpreter that has what the loop needs.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Sites to measure, by folder.
    #[arg(long, default_values = ["nih-a", "nih-b"])]
    site: Vec<String>,
    /// Lanes of the agent, and workers of the loop.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// How often each goes over a site's images.
    #[arg(long, default_value_t = 40)]
    repeat: usize,
    /// How often each is measured; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Who runs the model in the agent.
    #[command(flatten)]
    engine: EngineChoice,
}

/// Images a second and MiB.
#[derive(Debug, Clone, Copy)]
struct Measured {
    speed: f64,
    memory_mib: u64,
}

impl Comparison {
    /// Measures every site and prints a line for each.
    pub(crate) fn run(&self) -> Result<(), BenchError> {
        println!("{:<8} {:<18} {:>9} {:>9}", "site", "program", "images/s", "peak MiB");
        for site in &self.site {
            self.compare(site)?;
        }
        Ok(())
    }

    fn compare(&self, site: &str) -> Result<(), BenchError> {
        let (mut ours, mut threads, mut processes) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.rounds.max(1) {
            ours.push(self.agent(site)?);
            threads.push(self.python(site, "threads")?);
            processes.push(self.python(site, "processes")?);
        }
        let [ours, threads, processes] = [ours, threads, processes].map(median);
        for (name, measured) in
            [("fedval", ours), ("loop, threads", threads), ("loop, processes", processes)]
        {
            let Measured { speed, memory_mib } = measured;
            println!("{site:<8} {name:<18} {speed:>9.0} {memory_mib:>9}");
        }
        let better = threads.speed.max(processes.speed);
        println!("{site:<8} {:<18} {:>9.2}", "ratio", ours.speed / better);
        Ok(())
    }

    fn agent(&self, site: &str) -> Result<Measured, BenchError> {
        let executable = Path::new("/proc/self/exe");
        let mut command = Command::new(executable);
        command.arg("evaluate").arg(self.data.join(site)).arg(self.model());
        command.args(["--repeat", &self.repeat.to_string()]);
        command.args(["--lanes", &self.workers.to_string()]);
        if let (EngineName::OnnxRuntime, Some(library)) =
            (self.engine.engine, &self.engine.onnx_runtime)
        {
            command.args(["--engine", "onnx_runtime", "--library"]).arg(library);
        }
        let (printed, memory_mib) = measure(&mut command)?;
        let figure: Figure = serde_json::from_str(&printed).map_err(BenchError::Figure)?;
        Ok(Measured { speed: figure.warm_images_per_second, memory_mib })
    }

    fn python(&self, site: &str, kind: &str) -> Result<Measured, BenchError> {
        let mut command = Command::new(&self.python);
        command.arg(&self.python_loop).arg(self.data.join(site)).arg(self.model());
        command.args([&self.workers.to_string(), &self.repeat.to_string(), kind]);
        let (printed, memory_mib) = measure(&mut command)?;
        // "6960 images, 2 threads: 977 images/s, sum of scores …"
        let speed =
            printed.split_once(": ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        let speed = speed.ok_or_else(|| failure(&command, printed.clone()))?;
        Ok(Measured { speed, memory_mib })
    }

    fn model(&self) -> PathBuf {
        self.data.join("pneumonia.onnx")
    }
}

/// What `command` printed, and the peak of its and its children's memory.
fn measure(command: &mut Command) -> Result<(String, u64), BenchError> {
    let started = command.stdout(Stdio::piped()).spawn();
    let path = || PathBuf::from(command.get_program());
    let unusable = |source| BenchError::File { path: path(), source };
    let (output, memory_mib) =
        peak_while(started.map_err(unusable)?, std::process::Child::wait_with_output);
    let output = output.map_err(unusable)?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok((printed, memory_mib)) } else { Err(failure(command, printed)) }
}

fn failure(command: &Command, answer: String) -> BenchError {
    BenchError::Command { command: format!("{command:?}"), answer }
}

/// The measurement of median speed, with the largest memory of all.
fn median(mut measured: Vec<Measured>) -> Measured {
    measured.sort_by(|a, b| a.speed.total_cmp(&b.speed));
    let memory_mib = measured.iter().map(|one| one.memory_mib).max().unwrap_or_default();
    Measured { memory_mib, ..measured[measured.len() / 2] }
}
