//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use fedval_study::{Name, PersonRole, PrintedName, SignatureMeaning, SiteId, StudyId};

/// Federated validation of medical-imaging AI: the coordinator.
#[derive(Debug, Parser)]
#[command(name = "fedval", version, propagate_version = true)]
pub(super) struct Args {
    /// Folder with configuration, keys and data.
    #[arg(long, global = true, env = "FEDVAL_HOME", default_value = "fedval-home")]
    pub(super) home: PathBuf,
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Which log lines go to standard error.
    #[arg(
        long,
        global = true,
        env = "FEDVAL_LOG",
        default_value = "warn,fedval=info,fedval_core=info"
    )]
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
    /// Make a consortium: root certificate, server, operator and signing keys.
    Init(Init),
    /// Run the coordinator.
    Serve,
    /// Invite, list and revoke sites.
    #[command(subcommand)]
    Site(Site),
    /// Admit, dismiss and list people who call this coordinator.
    #[command(subcommand)]
    Person(Person),
    /// Create, lock, dispatch, follow and close studies.
    #[command(subcommand)]
    Study(Study),
    /// Build reports.
    #[command(subcommand)]
    Report(Report),
    /// Check a report package: signatures, digests, and every number recomputed.
    Verify(Verify),
    /// Run oracle cases through the statistics engine and print a record of how it did on this machine.
    Qualify {
        /// Folder of further cases (`*.json`, form `oracle/1`); without it the cases that come with the
        /// program.
        #[arg(long, value_name = "DIR")]
        cases: Option<PathBuf>,
    },
    /// Copy a running coordinator's rows, models, keys and configuration to a new folder.
    Backup {
        /// Folder to write; must not exist.
        folder: PathBuf,
    },
    /// Bring a backup back into an empty --home.
    Restore {
        /// Folder that `backup` wrote.
        folder: PathBuf,
    },
}

#[derive(Debug, ClapArgs)]
pub(super) struct Init {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:7443")]
    pub(super) listen: SocketAddr,
    /// Name or address under which sites reach the server; may be given several times.
    #[arg(long = "host", default_value = "localhost")]
    pub(super) hosts: Vec<String>,
    /// Name of the first operator.
    #[arg(long, default_value = "admin")]
    pub(super) operator: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Site {
    /// Print a single-use token for a site.
    Invite {
        /// The site's id, such as st-marys.
        name: SiteId,
        /// How long the token works, in hours.
        #[arg(long, default_value_t = 24)]
        hours: u32,
    },
    /// List sites.
    List,
    /// Make a site's certificate stop working.
    Revoke {
        /// The site's id.
        name: SiteId,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Person {
    /// Make a key and certificate for a person, and let it call; needs the root's key here.
    Admit {
        /// A name of a-z, 0-9 and `-`.
        name: Name,
        /// operator, statistician (studies and reports) or reviewer (reads).
        #[arg(long)]
        role: PersonRole,
        /// New folder to hand over: configuration and key.
        #[arg(long)]
        out: PathBuf,
    },
    /// Make a person's certificate stop working.
    Dismiss {
        /// The name.
        name: Name,
    },
    /// List people with their roles.
    List,
    /// Print a new password for a person, who must replace it before it opens anything else.
    IssuePassword {
        /// The name.
        name: Name,
    },
    /// Replace your own password: the one for the pages and for signing reports.
    Password {
        /// File with the old password in its first line and the new one in its second; without it, both are asked
        /// for on the terminal.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Study {
    /// Check a study file and upload it with its model.
    Create {
        /// The study in TOML.
        file: PathBuf,
    },
    /// Upload the next version of a locked study, with what it changes and why; `lock` signs it.
    Amend {
        /// The study's id.
        study: StudyId,
        /// The whole study as it shall be, in TOML.
        file: PathBuf,
        /// Why it is amended, for everybody who reads the report.
        #[arg(long)]
        reason: String,
    },
    /// Say how many cases and sites give the precision that a file asks for; asks no coordinator.
    Plan {
        /// What is expected and how precisely it is to be known, in TOML.
        file: PathBuf,
    },
    /// Sign a study, or its next version, with the sponsor's key: what is signed never changes.
    Lock {
        /// The study's id.
        study: StudyId,
    },
    /// Send a locked study to sites.
    Dispatch {
        /// The study's id.
        study: StudyId,
        /// Only to this site; may be given several times. Without it: to every enrolled site.
        #[arg(long = "site")]
        sites: Vec<SiteId>,
        /// Hours from now until sites that have not answered are shown as overdue.
        #[arg(long = "deadline", value_name = "HOURS", default_value_t = 0)]
        deadline_hours: u32,
    },
    /// Show how far a study is.
    Status {
        /// The study's id.
        study: StudyId,
        /// Show again whenever something changes, until every site has answered.
        #[arg(long)]
        watch: bool,
    },
    /// End the open round: no further results. Sites that did not answer are reported as missing.
    Close {
        /// The study's id.
        study: StudyId,
        /// Also build the report, into this folder.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Print a link with which anybody reads this study's pages, and no other's.
    Share {
        /// The study's id.
        study: StudyId,
        /// How many days it works.
        #[arg(long, default_value_t = 14)]
        days: u32,
    },
    /// End every link to a study.
    Unshare {
        /// The study's id.
        study: StudyId,
    },
    /// List studies.
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum Report {
    /// Assemble and sign the report of the latest round, with its evidence.
    Build {
        /// The study's id.
        study: StudyId,
        /// Folder to write; must not exist or be empty.
        #[arg(long)]
        out: PathBuf,
    },
    /// Sign a report that you have read, with your key and your password. Reports built from then on print it.
    Sign(Sign),
}

#[derive(Debug, ClapArgs)]
pub(super) struct Sign {
    /// Folder that `fedval report build` wrote.
    pub(super) package: PathBuf,
    /// What your signature means: authorship, review, approval or responsibility.
    #[arg(long)]
    pub(super) meaning: SignatureMeaning,
    /// Your name as it is to be printed.
    #[arg(long = "name", value_name = "NAME")]
    pub(super) printed_name: PrintedName,
    /// File with your password in its first line; without it, it is asked for on the terminal.
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Verify {
    /// Folder that `fedval report build` wrote.
    pub(super) package: PathBuf,
    /// Fingerprint of the consortium's root, or a file with its certificate.
    #[arg(long)]
    pub(super) root: Option<String>,
    /// A state of the coordinator's log that was seen elsewhere: what `fedval-agent log show --json` prints, or
    /// `evidence/log-checkpoint.json` of another package. The package's log must have stood there.
    #[arg(long, value_name = "FILE")]
    pub(super) checkpoint: Option<PathBuf>,
}
