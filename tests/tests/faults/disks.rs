//! Disks that are full, broken or read-only.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use fedval_study::Sha256Digest;
use fedval_tests::consortium::until;
use fedval_tests::disk::Disk;
use fedval_tests::folder;
use fedval_tests::process::call;
use fedval_tests::strace;

use crate::each;
use crate::scene::{Scene, Site};
use crate::template::{Plan, Template};

/// What a process whose machine failed exits with.
const MACHINE: i32 = 5;
const SIZE_KIB: u64 = 16 * 1024;

fn site_on<'t>(template: &'t Template, disk: &Disk) -> Scene<'t> {
    let mut scene = template.scene();
    scene.site().move_to(&disk.path().join("site"));
    scene
}

fn coordinator_on<'t>(template: &'t Template, disk: &Disk) -> Scene<'t> {
    let mut scene = template.scene();
    let home = disk.path().join("coordinator");
    folder::copy(&scene.home, &home);
    scene.home = home;
    scene
}

#[test]
fn f13_an_agent_whose_disk_is_full_stops_and_goes_on_when_there_is_room() {
    let padding = 512 * 1024;
    let template = Template::make(Plan { padding, ..Plan::default() });
    for left in each([0, 64, 560, 700], (0..=1200).step_by(40)) {
        let disk = Disk::of_kib(SIZE_KIB);
        let mut scene = site_on(&template, &disk);
        disk.leave_kib(left);
        scene.serve();
        let site = scene.site();
        site.run();
        let noted = until("the agent ends, says why it waits, or has room enough", || {
            let is_over = !site.is_running() || site.state() == "sent";
            let waits = site.log().contains("code=\"DISK\"") || !site.delay().is_empty();
            (is_over || waits).then_some(site.state())
        });
        let log = site.log();
        disk.free();
        assert!(site.charges() <= 1, "{left} KiB left, {noted}: {log}");
        if !site.is_running() {
            assert_eq!(site.until_ended().code(), Some(MACHINE), "{left} KiB left: {log}");
            assert!(log.contains("hint:"), "{left} KiB left: {log}");
            site.run();
        }
        scene.ends_undisturbed();
    }
}

#[test]
fn f14_a_coordinator_whose_disk_is_full_acknowledges_nothing_that_it_did_not_store() {
    let template = Template::make(Plan { releases: false, ..Plan::default() });
    for left in each([0, 16], (0..=160).step_by(8)) {
        let disk = Disk::of_kib(SIZE_KIB);
        let mut scene = coordinator_on(&template, &disk);
        scene.serve();
        scene.site().run();
        scene.sites[0].until("awaiting_release");
        disk.leave_kib(left);
        scene.sites[0].release();
        until("the result is refused or stored", || {
            let site = &scene.sites[0];
            (!site.delay().is_empty() || site.state() == "sent").then_some(())
        });
        if scene.sites[0].state() == "sent" {
            assert!(left > 0, "there was room");
            // A coordinator that is killed now must still have what it acknowledged.
            scene.stop();
        } else {
            assert_eq!(scene.sites[0].state(), "released", "it waits for another try");
        }
        disk.free();
        scene.ends_undisturbed();
    }
}

#[test]
fn f15_an_agent_whose_ledger_cannot_be_flushed_stops_and_never_tries_that_flush_again() {
    let template = Template::make(Plan::default());
    for nth in each([1, 2, 5, 9], 1..=100) {
        let mut scene = template.scene();
        scene.serve();
        let site = scene.site();
        let files =
            ["vault.db", "vault.db-wal", "vault.db-journal"].map(|name| site.home.join(name));
        site.run_by(&strace::break_flushes_from(nth, &files));
        let ended = site.until_sent_or_ended();
        if let Some(end) = ended {
            assert_eq!(end.signal(), None);
            assert_eq!(end.code(), Some(MACHINE), "at flush {nth}: {}", site.log());
            assert!(site.log().contains("hint:"), "at flush {nth}: {}", site.log());
            site.run();
        }
        scene.ends_undisturbed();
        if ended.is_none() {
            assert!(nth > 1, "a run without a flush");
            return;
        }
    }
}

/// What a disk makes of a model unnoticed: one bit is another.
fn damage(site: &Site, model: &[u8]) {
    let folder = site.home.join("artifacts");
    fs::create_dir_all(&folder).unwrap();
    let mut damaged = model.to_vec();
    damaged[model.len() / 2] ^= 1;
    fs::write(folder.join(format!("{}.bin", Sha256Digest::of(model))), damaged).unwrap();
}

#[test]
fn a_model_that_the_disk_damaged_is_fetched_again() {
    let template = Template::make(Plan { padding: 4096, ..Plan::default() });
    let mut scene = template.scene();
    damage(&scene.sites[0], &template.model());
    scene.serve();
    scene.site().run();
    scene.sites[0].until("sent");
    assert!(scene.sites[0].log().contains("model to be fetched again"));
    scene.ends_undisturbed();
}

#[test]
fn f16_a_coordinator_does_not_start_on_a_disk_that_it_cannot_write() {
    let template = Template::make(Plan::default());
    let disk = Disk::of_kib(SIZE_KIB);
    let mut scene = coordinator_on(&template, &disk);
    disk.freeze();
    let answer = call("fedval", &scene.home, &["serve"]);
    assert_eq!(answer.code, MACHINE, "{}", answer.err);
    assert!(answer.err.contains("hint:"), "{}", answer.err);
    disk.thaw();
    scene.serve();
    scene.site().run();
    scene.ends_undisturbed();
}

#[test]
fn f16_an_agent_does_not_start_on_a_disk_that_it_cannot_write() {
    let template = Template::make(Plan::default());
    let disk = Disk::of_kib(SIZE_KIB);
    let mut scene = site_on(&template, &disk);
    disk.freeze();
    let answer = scene.sites[0].agent(&["run"]);
    assert_eq!(answer.code, MACHINE, "{}", answer.err);
    assert!(answer.err.contains("hint:"), "{}", answer.err);
    disk.thaw();
    scene.serve();
    scene.site().run();
    scene.ends_undisturbed();
}
