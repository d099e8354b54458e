//! A consortium in which everything is ready: sites enrolled, policies signed, a study dispatched.
//!
//! Every run of a test begins with a copy of its folder, the undisturbed one too. So the runs have the
//! same keys, ids, charges to come and orders, and their reports differ in nothing but times: neither a
//! second round, which would be a second charge, nor anything else has to be explained away.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use fedval_ambient::OsEntropy;
use fedval_tests::consortium::{free_port, until};
use fedval_tests::process::{Running, call};
use fedval_tests::{folder, small_site};
use fedval_vault::Vault;
use tempfile::TempDir;

use crate::model;
use crate::scene::Scene;

/// The only study.
pub(crate) const STUDY: &str = "fault";
/// Its only round.
pub(crate) const ROUND: &str = "fault-r1";
/// What differs between tests.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) sites: Vec<String>,
    /// Images have so many pixels to a side: large ones take longer.
    pub(crate) side: u32,
    /// Cases of each site.
    pub(crate) cases: usize,
    /// Cosines that the model works out of every pixel: none, and it is done at once.
    pub(crate) cosines: usize,
    /// The model's file is larger by so many bytes.
    pub(crate) padding: usize,
    /// Whether results leave without a steward.
    pub(crate) releases: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            sites: vec!["site-a".to_owned()],
            side: 8,
            cases: 92,
            cosines: 0,
            padding: 0,
            releases: true,
        }
    }
}

/// The consortium before its first fault.
pub(crate) struct Template {
    folder: TempDir,
    pub(crate) plan: Plan,
    undisturbed: OnceLock<String>,
}

/// A folder in memory where there is one: a killed process leaves there what it leaves on a disk.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// Gives `key` a value in a configuration, where it stands at the beginning of a line.
pub(crate) fn set(file: &Path, key: &str, value: &str) {
    let text = fs::read_to_string(file).unwrap();
    let prefix = format!("{key} = ");
    let lines = text.lines().map(|line| {
        if line.starts_with(&prefix) { format!("{prefix}\"{value}\"") } else { line.to_owned() }
    });
    fs::write(file, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
}

impl Template {
    pub(crate) fn make(plan: Plan) -> Self {
        let template = Self { folder: scratch(), plan, undisturbed: OnceLock::new() };
        template.write_data();
        let listen = format!("127.0.0.1:{}", free_port());
        let url = format!("https://{}", listen.replace("127.0.0.1", "localhost"));
        template.fedval(&["init", "--listen", &listen, "--host", "localhost"]);
        let log = template.folder.path().join("coordinator.log");
        let server = Running::start("fedval", &template.coordinator(), &["serve"], &log);
        until("the coordinator answers", || {
            let answer = call("fedval", &template.coordinator(), &["site", "list"]);
            (answer.code == 0).then_some(())
        });
        let study = template.folder.path().join("study.toml");
        fs::write(&study, template.study()).unwrap();
        template.fedval(&["study", "create", study.to_str().unwrap()]);
        let locked = template.fedval(&["study", "lock", STUDY]);
        let protocol = locked["protocol_digest"].as_str().unwrap();
        for site in &template.plan.sites {
            template.enrol(site, &url, protocol);
        }
        template.fedval(&["study", "dispatch", STUDY]);
        drop(server);
        template
    }

    /// A copy of the consortium, ready to start.
    pub(crate) fn scene(&self) -> Scene<'_> {
        let folder = scratch();
        folder::copy(&self.coordinator(), &folder.path().join("coordinator"));
        for site in &self.plan.sites {
            folder::copy(&self.folder.path().join(site), &folder.path().join(site));
        }
        Scene::new(self, folder)
    }

    /// The report of a run without faults, less its times.
    pub(crate) fn undisturbed(&self) -> &str {
        self.undisturbed.get_or_init(|| {
            let mut scene = self.scene();
            scene.serve();
            for site in &mut scene.sites {
                site.run();
            }
            for site in &scene.sites {
                if !self.plan.releases {
                    site.until("awaiting_release");
                    site.release();
                }
                site.until("sent");
            }
            scene.report()
        })
    }

    fn coordinator(&self) -> PathBuf {
        self.folder.path().join("coordinator")
    }

    fn fedval(&self, args: &[&str]) -> serde_json::Value {
        call("fedval", &self.coordinator(), &[args, &["--json"]].concat()).json()
    }

    /// The model's file.
    pub(crate) fn model(&self) -> Vec<u8> {
        let Plan { side, cosines, padding, .. } = self.plan;
        model::mean_of_pixels(side, cosines, padding)
    }

    fn study(&self) -> String {
        let path = self.folder.path().join("model.onnx");
        fs::write(&path, self.model()).unwrap();
        small_site::image_study(STUDY, &path, self.plan.side)
    }

    /// A third of each class lies on the wrong side of one half.
    fn write_data(&self) {
        let data = self.folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let mut manifest = "case_id,patient_id,image,label\n".to_owned();
        for case in 0..self.plan.cases {
            let (label, is_wrong) = (case % 2, case % 6 < 2);
            let is_bright = (label == 1) != is_wrong;
            let level = u8::try_from(case).unwrap() + if is_bright { 140 } else { 10 };
            let name = format!("image-{case}.png");
            let image =
                image::GrayImage::from_pixel(self.plan.side, self.plan.side, image::Luma([level]));
            image.save(data.join(&name)).unwrap();
            writeln!(manifest, "CASEX{case},PATIENTX{case},{name},{label}").unwrap();
        }
        fs::write(data.join("manifest.csv"), manifest).unwrap();
    }

    fn enrol(&self, site: &str, url: &str, protocol: &str) {
        let invited = self.fedval(&["site", "invite", site]);
        let token = invited["token"].as_str().unwrap();
        let home = self.folder.path().join(site);
        let agent = |args: &[&str]| {
            let answer = call("fedval-agent", &home, args);
            assert_eq!(answer.code, 0, "{}", answer.err);
        };
        agent(&["enrol", "--coordinator", url, "--token", token]);
        let data = self.folder.path().join("data");
        let config = format!(
            "answer_step_seconds = 0\n\n[coordinator]\nurl = \"{url}\"\n\n[[data_sources]]\nname = \"data\"\n\
             manifest = \"{0}/manifest.csv\"\nroot = \"{0}\"\n",
            data.display()
        );
        fs::write(home.join("agent.toml"), config).unwrap();
        let release = if self.plan.releases { format!("{protocol:?}") } else { String::new() };
        let policy = format!(
            "profile = \"standard\"\nk = 11\nrun_without_approval = [{protocol:?}]\n\
             release_without_steward = [{release}]\n"
        );
        fs::write(home.join("policy.toml"), policy).unwrap();
        agent(&["policy", "sign"]);
        // Made here and not by the first evaluation, so that the cohort's commitment, which a result
        // names, is every run's.
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let vault = Vault::open(&home.join("vault.db")).await.unwrap();
            let _ = vault.cohort_secret(&OsEntropy).await.unwrap();
        });
    }
}
