//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use fedval_study::{RoundId, StudyId};

/// Federated validation of medical-imaging AI: the agent of one site.
#[derive(Debug, Parser)]
#[command(name = "fedval-agent", version, propagate_version = true)]
pub(super) struct Args {
    /// Folder with configuration, key, policy and vault.
    #[arg(long, global = true, env = "FEDVAL_AGENT_HOME", default_value = "/var/lib/fedval-agent")]
    pub(super) home: PathBuf,
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Which log lines go to standard error.
    #[arg(long, global = true, env = "FEDVAL_LOG", default_value = "warn,fedval_agent=info")]
    pub(super) log: String,
    /// Log lines as JSON.
    #[arg(long, global = true)]
    pub(super) log_json: bool,
    /// Say what a problem code means and what to do about it; no command is needed.
    #[arg(long, global = true, value_name = "CODE")]
    // `explain::answer` looks for it before the rest is parsed; here it stands for --help.
    explain: Option<String>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Become a site of a consortium: makes a key here and gets it certified.
    Enrol(Enrol),
    /// Test everything this site needs, and say what to do about what is missing.
    Check {
        /// Also read this study's data source.
        #[arg(long)]
        study: Option<StudyId>,
    },
    /// Run the agent.
    Run,
    /// Evaluate a part of a job whose data source has `shards`: one process of several.
    EvaluateShard(EvaluateShard),
    /// Stop evaluating at once, until `resume`.
    Pause,
    /// Go on evaluating.
    Resume,
    /// Copy ledger, journal, jobs, key and policy to a new folder.
    Backup {
        /// Folder to write; must not exist.
        folder: PathBuf,
    },
    /// Bring a backup back into an empty --home.
    Restore {
        /// Folder that `backup` wrote.
        folder: PathBuf,
    },
    /// Make, sign and show this site's disclosure policy.
    #[command(subcommand)]
    Policy(Policy),
    /// List what was dispatched to this site.
    Jobs,
    /// Show one job with its protocol.
    Show {
        /// The job: its round.
        job: RoundId,
    },
    /// Let a job run.
    Approve {
        /// The job: its round.
        job: RoundId,
        /// Who lets it run; stands in this site's vault and nowhere else.
        #[arg(long, env = "USER", default_value = "steward")]
        by: String,
    },
    /// Refuse a job; the coordinator hears `refused` and no reason.
    Decline {
        /// The job: its round.
        job: RoundId,
    },
    /// Show exactly what would leave, and what was withheld by which rule.
    Preview {
        /// The job: its round.
        job: RoundId,
    },
    /// Approve the bytes that wait, and send them.
    Release {
        /// The job: its round.
        job: RoundId,
        /// Release only these bytes: the digest that `preview` showed.
        #[arg(long)]
        digest: Option<String>,
        /// Who approves; stands in this site's ledger and nowhere else.
        #[arg(long, env = "USER", default_value = "steward")]
        by: String,
    },
    /// Show everything this site ever told anyone.
    #[command(subcommand)]
    Ledger(Ledger),
    /// Show how far this site followed the coordinator's log, which it signs.
    #[command(subcommand)]
    Log(Log),
    /// Show what happened, and prove that the record of it was not changed.
    #[command(subcommand)]
    Journal(Journal),
}

#[derive(Debug, ClapArgs)]
pub(super) struct EvaluateShard {
    /// The study whose job waits.
    #[arg(long)]
    pub(super) study: StudyId,
    /// Which part, from 0. An Indexed Job of Kubernetes sets the variable.
    #[arg(long, env = "JOB_COMPLETION_INDEX")]
    pub(super) index: u32,
    /// Parts in all: `shards` of the data source.
    #[arg(long)]
    pub(super) of: u32,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Enrol {
    /// Address of the coordinator, such as https://fedval.example.org:443.
    #[arg(long)]
    pub(super) coordinator: String,
    /// The invitation's token.
    #[arg(long)]
    pub(super) token: String,
    /// The root's fingerprint, as the operator read it to you. The token holds it too.
    #[arg(long)]
    pub(super) root: Option<String>,
    /// Web proxy to go through, such as http://proxy.example.org:3128; stands in agent.toml afterwards.
    #[arg(long)]
    pub(super) proxy: Option<String>,
    /// File with one line user:password for the proxy, readable by its owner alone.
    #[arg(long, requires = "proxy")]
    pub(super) proxy_credentials: Option<PathBuf>,
    /// File with the authority that certified a https:// proxy, in PEM.
    #[arg(long, requires = "proxy")]
    pub(super) proxy_ca: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Write a documented policy.toml to start from.
    Init,
    /// Sign policy.toml as it stands.
    Sign,
    /// Show the policy in force.
    Show,
}

#[derive(Debug, Subcommand)]
pub(super) enum Ledger {
    /// Let releases go on though a restored backup lacks entries that this site signed for.
    Accept {
        /// Who looked into them; stands in this site's journal and nowhere else.
        #[arg(long, env = "USER", default_value = "steward")]
        by: String,
    },
    /// List the entries.
    Show {
        /// Only about the cohort whose commitment begins with these digits.
        #[arg(long)]
        cohort: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Log {
    /// Where it stood. With --json, what `fedval verify --checkpoint` takes.
    Show,
    /// Follow the log anew after it broke: the coordinator was restored from a backup.
    Accept,
}

#[derive(Debug, Subcommand)]
pub(super) enum Journal {
    /// List the entries, once their chain is checked.
    Show,
    /// Read the whole journal and check its chain.
    Verify,
}
