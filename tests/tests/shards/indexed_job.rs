//! The Indexed Job in deploy/kubernetes: its pods may little and speak to nobody, and started as it says, each with
//! nothing but its index, they come to what one agent comes to. Here with a model of three classes.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use fedval_tests::canary::Canaries;
use fedval_tests::consortium::Consortium;
use fedval_tests::dice::Dice;
use fedval_tests::process::binary;
use fedval_tests::small_site;
use image::{GrayImage, Luma};
use serde_json::{Value, json};

use crate::{check_same, dispatch, onnx_file, report, until_asked};

/// Patients of the hospital, a third of each class.
const PATIENTS: u32 = 180;
/// The darkest image of a class, and by how much the others are brighter at most: classes overlap.
const DARKEST: [u32; 3] = [15, 65, 130];
const SPREAD: u32 = 110;

fn deploy(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("inside the workspace");
    fs::read_to_string(root.join("deploy").join(file)).expect("the file is there")
}

/// The one object of a kind.
fn object(kind: &str) -> Value {
    let all: Vec<Value> =
        serde_saphyr::from_multiple(&deploy("kubernetes/shards.yaml")).expect("YAML");
    let of_kind: Vec<Value> = all.into_iter().filter(|object| object["kind"] == kind).collect();
    let [only] = &of_kind[..] else { panic!("{} objects of kind {kind}", of_kind.len()) };
    only.clone()
}

/// The one entry of a list.
fn only(list: &Value) -> &Value {
    match list.as_array().expect("a list").as_slice() {
        [only] => only,
        several => panic!("{} entries", several.len()),
    }
}

/// The entry of a list that is called so.
fn named<'v>(list: &'v Value, name: &str) -> &'v Value {
    let list = list.as_array().expect("a list");
    list.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("{name}"))
}

/// What the file says of how its pods are run.
struct Job {
    completions: u64,
    args: Vec<String>,
    /// Where the pods find the agent's folder, and the images.
    agent: String,
    images: String,
}

impl Job {
    fn read() -> Self {
        let job = object("Job");
        let container = only(&job["spec"]["template"]["spec"]["containers"]);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mount = |name: &str| text(&named(&container["volumeMounts"], name)["mountPath"]);
        Self {
            completions: job["spec"]["completions"].as_u64().expect("a number"),
            args: container["args"].as_array().expect("a list").iter().map(text).collect(),
            agent: mount("agent"),
            images: mount("images"),
        }
    }

    /// The argument behind an option.
    fn option(&self, name: &str) -> &str {
        let place = self.args.iter().position(|arg| arg == name).expect("the option is given");
        &self.args[place + 1]
    }

    /// Runs a pod whose root is this folder, with the index that Kubernetes gives it.
    fn run(&self, root: &Path, index: Option<u64>) -> Output {
        let mut pod = Command::new(binary("fedval-agent"));
        pod.args(&self.args).env_clear().stdin(Stdio::null());
        // As the image sets it, which has no other root.
        pod.env("FEDVAL_AGENT_HOME", below(root, &self.agent));
        if let Some(index) = index {
            pod.env("JOB_COMPLETION_INDEX", index.to_string());
        }
        pod.output().expect("the binary starts")
    }
}

fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.strip_prefix('/').expect("an absolute path"))
}

#[test]
fn the_pods_of_the_indexed_job_may_little_and_speak_to_nobody() {
    let (job, policy) = (object("Job"), object("NetworkPolicy"));
    assert_eq!(
        (&job["apiVersion"], &policy["apiVersion"]),
        (&json!("batch/v1"), &json!("networking.k8s.io/v1"))
    );
    assert_eq!(job["spec"]["completionMode"], "Indexed");
    let template = &job["spec"]["template"];
    let pod = &template["spec"];
    assert_eq!(pod["restartPolicy"], "OnFailure");
    for key in ["automountServiceAccountToken", "enableServiceLinks"] {
        assert_eq!(pod[key], false, "{key}");
    }
    for key in ["hostNetwork", "hostPID", "hostIPC", "serviceAccountName", "initContainers"] {
        assert_eq!(pod[key], Value::Null, "{key}");
    }
    let expected = json!({
        "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
        "seccompProfile": { "type": "RuntimeDefault" },
    });
    assert_eq!(pod["securityContext"], expected);
    let container = only(&pod["containers"]);
    let expected = json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
        "capabilities": { "drop": ["ALL"] },
    });
    assert_eq!(container["securityContext"], expected);
    for key in ["command", "env", "envFrom", "ports"] {
        assert_eq!(container[key], Value::Null, "{key}: the image and Kubernetes say it");
    }
    // Nothing of the machine below is mounted, and of the images nothing can be changed.
    let volumes = pod["volumes"].as_array().expect("a list");
    assert!(volumes.iter().all(|volume| volume["persistentVolumeClaim"]["claimName"].is_string()));
    assert_eq!(named(&pod["volumes"], "images")["persistentVolumeClaim"]["readOnly"], true);
    assert_eq!(named(&container["volumeMounts"], "images")["readOnly"], true);
    // Without a rule, nothing goes in or out.
    let expected = json!({
        "podSelector": { "matchLabels": template["metadata"]["labels"] },
        "policyTypes": ["Ingress", "Egress"],
    });
    assert_eq!(policy["spec"], expected);
}

#[test]
fn the_image_and_the_indexed_job_say_the_same() {
    let job = Job::read();
    let image = deploy("docker/agent.Dockerfile");
    for line in [
        format!("ENV FEDVAL_AGENT_HOME={}", job.agent),
        "USER 65532:65532".to_owned(),
        "ENTRYPOINT [\"/usr/local/bin/fedval-agent\"]".to_owned(),
    ] {
        assert!(image.lines().any(|other| other == line), "{line}");
    }
    // One process for each index, and all of them at once.
    assert_eq!(job.option("--of"), job.completions.to_string());
    assert_eq!(object("Job")["spec"]["parallelism"], job.completions);
}

/// Images of one grey value each, the brighter the higher the class.
fn write(folder: &Path) {
    fs::create_dir_all(folder).expect("a writable folder");
    let (mut dice, mut manifest) = (Dice(23), "case_id,patient_id,image,label\n".to_owned());
    for patient in 0..PATIENTS {
        let class = usize::try_from(patient % 3).expect("a small number");
        let grey = u8::try_from(DARKEST[class] + dice.below(SPREAD)).expect("a grey value");
        let name = format!("IMAGEX{patient}.png");
        GrayImage::from_pixel(4, 4, Luma([grey]))
            .save(folder.join(&name))
            .expect("a writable folder");
        writeln!(manifest, "CASEX{patient},PATIENTX{patient},{name},class-{class}").expect("text");
    }
    fs::write(folder.join("manifest.csv"), manifest).expect("a writable folder");
}

fn study(id: &str, model: &Path) -> String {
    let mut text = small_site::study(id, model);
    for (what, with) in [
        ("[model]\n", "task = \"multi_class\"\n[model]\n"),
        ("height = 8\nwidth = 8\n", "height = 4\nwidth = 4\n"),
        ("name = \"probability\"", "name = \"score\""),
        ("positive = [\"1\"]\nnegative = [\"0\"]\n", ""),
        ("[[operating_points]]\nname = \"half\"\nthreshold = 0.5\n", ""),
        ("metric = \"auroc\"\nlimit = 0.8", "metric = \"macro_auroc\"\nlimit = 0.5"),
    ] {
        assert!(text.contains(what), "{what}");
        text = text.replacen(what, with, 1);
    }
    for class in 0..3 {
        writeln!(text, "[[classes]]\nname = \"class-{class}\"\nvalues = [\"class-{class}\"]")
            .expect("text");
    }
    text
}

#[test]
fn the_pods_of_the_indexed_job_come_to_what_one_agent_comes_to() {
    let (job, consortium) = (Job::read(), Consortium::start());
    let root = consortium.path("pod");
    let data = below(&root, &job.images);
    write(&data);
    let model = consortium.path("model.onnx");
    fs::write(&model, onnx_file::bytes(onnx_file::three_classes())).expect("a writable folder");
    let [mut alone, mut split] = ["alone", "split"].map(|name| consortium.enrol(name, &data));
    let home = below(&root, &job.agent);
    fs::create_dir_all(home.parent().expect("a folder")).expect("a writable folder");
    symlink(&split.home, &home).expect("a writable folder");
    split.configure_also(&format!("shards = {}\n", job.completions));
    let id = job.option("--study");
    dispatch(&consortium, id, &study(id, &model), [&mut alone, &mut split]);
    until_asked(&split);

    let nobody = job.run(&root, None);
    assert_eq!(nobody.status.code(), Some(2), "a pod without an index is none: {nobody:?}");
    for index in 0..job.completions {
        let jobs = split.agent(&["jobs", "--json"]).json();
        assert_eq!(jobs["jobs"][0]["state"], "running", "not before all are there: {jobs}");
        let pod = job.run(&root, Some(index));
        let said = String::from_utf8_lossy(&pod.stdout);
        let done = format!("Shard {index} of {} is evaluated", job.completions);
        assert!(pod.status.success() && said.contains(&done), "{pod:?}");
        let log = String::from_utf8_lossy(&pod.stderr);
        assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
    }
    let report = report(&consortium, id);
    check_same(&report, &["classes"]);
    let outgoing = split.outgoing();
    let canaries = Canaries::of_site(&data);
    let mut found = canaries.found_in(&outgoing);
    found.retain(|word| word.len() > 5);
    assert_eq!(found, Vec::<&str>::new());
}
