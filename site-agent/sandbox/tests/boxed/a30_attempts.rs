//! A30: what code in a box tries to reach, from inside: files, network, other processes, more memory, other
//! rights. Each attempt is told by the kernel's answer, and each that can be made without harm is made
//! outside as well, where it succeeds: so it is the box that denies it.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use fedval_sandbox::CallError;
use libtest_mimic::Trial;
use nix::mount::{MsFlags, mount};
use nix::sched::CloneFlags;
use nix::sys::socket::{AddressFamily, SockFlag, SockType};
use nix::sys::uio::RemoteIoVec;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, setrlimit};
use tempfile::TempDir;

use crate::{PATIENCE, child, ends_and_a_fresh_child_answers, trial};

/// Argument of this executable where it makes an attempt outside a box.
pub(crate) const OUTSIDE: &str = "__test-outside";

/// Processes that a fork bomb tries to start.
const FORKS: usize = 200;

/// Attempts that succeed outside.
const HARMLESS: [&str; 24] = [
    "read key",
    "read link",
    "read environ",
    "read maps",
    "list /",
    "create",
    "overwrite key",
    "remove",
    "rename",
    "link",
    "symlink",
    "folder",
    "mode",
    "connect tcp",
    "listen tcp",
    "udp",
    "connect unix",
    "connect abstract",
    "unix pair",
    "fork",
    "thread",
    "signal parent",
    "memfd",
    "pidfd parent",
];

/// Attempts that could do harm outside, or need rights that a machine may not grant.
const HARMFUL: [&str; 14] = [
    "read init",
    "read parent memory",
    "netlink",
    "packets",
    "vsock",
    "fork bomb",
    "mount",
    "bind mount",
    "unmount",
    "unshare",
    "join namespace",
    "chroot",
    "raise memory",
    "host name",
];

/// Attempts that end the box: no honest code makes them.
const FATAL: [&str; 4] = ["exec", "ptrace parent", "read parent", "io_uring"];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("a30_each_attempt_succeeds_outside_a_box", a30_each_attempt_succeeds_outside_a_box),
        trial("a30_memory_beyond_the_limit", a30_memory_beyond_the_limit_ends_the_box_alone),
    ];
    for attempt in HARMLESS.into_iter().chain(HARMFUL) {
        let name = format!("a30_cannot_{}", attempt.replace([' ', '/'], "_"));
        trials.push(trial(name, move || a30_an_attempt_is_denied_by_the_kernel(attempt)));
    }
    for attempt in FATAL {
        let name = format!("a30_ends_where_it_tries_{}", attempt.replace(' ', "_"));
        trials.push(trial(name, move || a30_an_attempt_ends_the_box(attempt)));
    }
    trials
}

/// Something to be reached, and who waits there.
struct Prey {
    folder: TempDir,
    tcp: TcpListener,
    udp: UdpSocket,
    _unix: UnixListener,
    _abstract: UnixListener,
}

impl Prey {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["agent.key", "removed", "renamed", "linked", "moded"] {
            fs::write(path(name), b"ZZCANARY^PATIENT").unwrap();
            fs::set_permissions(path(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        symlink(path("agent.key"), path("way-out")).unwrap();
        Self {
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            udp: UdpSocket::bind("127.0.0.1:0").unwrap(),
            _unix: UnixListener::bind(path("socket")).unwrap(),
            _abstract: UnixListener::bind_addr(&abstract_name(folder.path())).unwrap(),
            folder,
        }
    }

    /// The attempt as a request: what, where, by whom, and through which ports.
    fn request(&self, attempt: &str) -> String {
        let ports = [self.tcp.local_addr().unwrap(), self.udp.local_addr().unwrap()];
        let [tcp, udp] = ports.map(|address| address.port());
        format!("{attempt}\n{}\n{}\n{tcp}\n{udp}", self.folder.path().display(), std::process::id())
    }
}

fn abstract_name(folder: &Path) -> SocketAddr {
    SocketAddr::from_abstract_name(folder.display().to_string()).unwrap()
}

/// Makes the attempt that a request describes, and tells how that went. `None` where it is no request of
/// this kind.
pub(crate) fn answer(request: &[u8]) -> Option<Vec<u8>> {
    let mut lines = std::str::from_utf8(request).ok()?.split('\n');
    let attempt = lines.next()?;
    let aim = Aim {
        folder: lines.next()?.into(),
        parent: lines.next()?.parse().ok()?,
        tcp: lines.next()?.parse().ok()?,
        udp: lines.next()?.parse().ok()?,
    };
    let told = match aim.make(attempt) {
        Ok(()) => "allowed".to_owned(),
        Err(error) => error.raw_os_error().map_or_else(
            || error.to_string(),
            |number| nix::errno::Errno::from_raw(number).to_string(),
        ),
    };
    Some(told.into_bytes())
}

/// What an attempt is aimed at.
struct Aim {
    folder: PathBuf,
    parent: i32,
    tcp: u16,
    udp: u16,
}

impl Aim {
    fn make(&self, attempt: &str) -> io::Result<()> {
        match attempt {
            "fork" | "fork bomb" | "thread" | "exec" | "signal parent" | "ptrace parent"
            | "read parent" | "pidfd parent" => self.processes(attempt),
            "connect tcp" | "listen tcp" | "udp" | "connect unix" | "connect abstract"
            | "unix pair" | "netlink" | "packets" | "vsock" => self.network(attempt),
            "mount" | "bind mount" | "unmount" | "unshare" | "join namespace" | "chroot"
            | "raise memory" | "host name" | "io_uring" | "memfd" => self.rights(attempt),
            _ => self.files(attempt),
        }
    }

    fn files(&self, attempt: &str) -> io::Result<()> {
        let at = |name: &str| self.folder.join(name);
        match attempt {
            "read key" => fs::read(at("agent.key")).map(drop),
            "read link" => fs::read(at("way-out")).map(drop),
            "read environ" => fs::read("/proc/self/environ").map(drop),
            "read maps" => fs::read("/proc/self/maps").map(drop),
            "read init" => fs::read("/proc/1/environ").map(drop),
            "read parent memory" => File::open(format!("/proc/{}/mem", self.parent)).map(drop),
            "list /" => fs::read_dir("/").map(drop),
            "create" => File::create(at("created")).map(drop),
            "overwrite key" => File::options()
                .append(true)
                .open(at("agent.key"))
                .and_then(|mut file| file.write_all(b"x")),
            "remove" => fs::remove_file(at("removed")),
            "rename" => fs::rename(at("renamed"), at("renamed-too")),
            "link" => fs::hard_link(at("linked"), at("linked-too")),
            "symlink" => symlink("/etc/passwd", at("symlinked")),
            "folder" => fs::create_dir(at("made")),
            "mode" => fs::set_permissions(at("moded"), fs::Permissions::from_mode(0o666)),
            other => Err(io::Error::other(format!("no attempt is called {other}"))),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the test shows that it is denied")]
    fn network(&self, attempt: &str) -> io::Result<()> {
        let socket = |family, kind| {
            Ok(nix::sys::socket::socket(family, kind, SockFlag::empty(), None).map(drop)?)
        };
        match attempt {
            "connect tcp" => std::net::TcpStream::connect(("127.0.0.1", self.tcp)).map(drop),
            "listen tcp" => TcpListener::bind("127.0.0.1:0").map(drop),
            "udp" => UdpSocket::bind("127.0.0.1:0")
                .and_then(|socket| socket.send_to(b"ZZCANARY^PATIENT", ("127.0.0.1", self.udp)))
                .map(drop),
            "connect unix" => UnixStream::connect(self.folder.join("socket")).map(drop),
            "connect abstract" => UnixStream::connect_addr(&abstract_name(&self.folder)).map(drop),
            "unix pair" => UnixDatagram::pair().map(drop),
            "netlink" => socket(AddressFamily::Netlink, SockType::Raw),
            "packets" => socket(AddressFamily::Packet, SockType::Raw),
            _ => socket(AddressFamily::Vsock, SockType::Stream),
        }
    }

    fn processes(&self, attempt: &str) -> io::Result<()> {
        let parent = nix::unistd::Pid::from_raw(self.parent);
        let own = Pid::from_raw(self.parent).unwrap();
        match attempt {
            "fork" => Command::new("/bin/true").status().map(drop),
            "fork bomb" => {
                let started = |_| Command::new("/bin/true").spawn();
                let last = (0..FORKS).map(started).collect::<Vec<_>>();
                // One process that was started is one too many.
                last.into_iter()
                    .find(Result::is_ok)
                    .unwrap_or_else(|| Command::new("/bin/true").spawn())
                    .map(drop)
            }
            "thread" => thread::Builder::new().spawn(|| ()).map(drop),
            "exec" => Err(Command::new("/bin/true").exec()),
            "signal parent" => Ok(kill_process(own, Signal::CONT)?),
            "ptrace parent" => Ok(nix::sys::ptrace::attach(parent)?),
            "pidfd parent" => {
                Ok(rustix::process::pidfd_open(own, rustix::process::PidfdFlags::empty())
                    .map(drop)?)
            }
            _ => {
                let mut bytes = [0; 8];
                let local = &mut [io::IoSliceMut::new(&mut bytes)];
                let remote = [RemoteIoVec { base: 0x1000, len: 8 }];
                Ok(nix::sys::uio::process_vm_readv(parent, local, &remote).map(drop)?)
            }
        }
    }

    fn rights(&self, attempt: &str) -> io::Result<()> {
        let none = None::<&str>;
        let folder = &self.folder;
        match attempt {
            "mount" => Ok(mount(none, folder, Some("tmpfs"), MsFlags::empty(), none)?),
            "bind mount" => Ok(mount(Some("/"), folder, none, MsFlags::MS_BIND, none)?),
            "unmount" => Ok(nix::mount::umount(folder)?),
            "unshare" => Ok(nix::sched::unshare(CloneFlags::CLONE_NEWUSER)?),
            "join namespace" => Ok(nix::sched::setns(io::stdin(), CloneFlags::CLONE_NEWNET)?),
            "chroot" => std::os::unix::fs::chroot(folder),
            "host name" => Ok(nix::unistd::sethostname("zzcanary")?),
            "raise memory" => {
                let endless = Rlimit { current: None, maximum: None };
                Ok(setrlimit(Resource::As, endless)?)
            }
            "memfd" => {
                let flags = rustix::fs::MemfdFlags::empty();
                Ok(rustix::fs::memfd_create("escaped", flags).map(drop)?)
            }
            _ => io_uring::IoUring::new(4).map(drop),
        }
    }
}

async fn a30_each_attempt_succeeds_outside_a_box() {
    for attempt in HARMLESS {
        let prey = Prey::new();
        let program = std::env::current_exe().unwrap();
        let made = Command::new(program).args([OUTSIDE, &prey.request(attempt)]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&made.stdout), "allowed", "{attempt}");
    }
}

/// The answer is the filter's, and what was aimed at is as before.
async fn a30_an_attempt_is_denied_by_the_kernel(attempt: &'static str) {
    let prey = Prey::new();
    let mut child = child().await;
    for _ in 0..2 {
        let reply = child.call(&[prey.request(attempt).as_bytes()], PATIENCE).await.unwrap();
        let told = String::from_utf8(reply).unwrap();
        assert_eq!(told, "EPERM: Operation not permitted", "{attempt}");
    }
    let mut left: Vec<_> = fs::read_dir(prey.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let there = ["agent.key", "linked", "moded", "removed", "renamed", "socket", "way-out"];
    assert_eq!(left, there, "{attempt}");
    assert_eq!(fs::read(prey.folder.path().join("agent.key")).unwrap(), b"ZZCANARY^PATIENT");
    prey.tcp.set_nonblocking(true).unwrap();
    assert!(prey.tcp.accept().is_err(), "somebody connected");
    prey.udp.set_nonblocking(true).unwrap();
    assert!(prey.udp.recv(&mut [0; 64]).is_err(), "somebody sent");
}

/// It is told apart from a child that broke: who tried this meant harm.
async fn a30_an_attempt_ends_the_box(attempt: &'static str) {
    let prey = Prey::new();
    ends_and_a_fresh_child_answers(&prey.request(attempt), CallError::Forbidden).await;
}

async fn a30_memory_beyond_the_limit_ends_the_box_alone() {
    ends_and_a_fresh_child_answers("allocate", CallError::Died).await;
    ends_and_a_fresh_child_answers("reserve", CallError::Died).await;
}

/// Asks for memory piece by piece, and uses it.
pub(crate) fn exhaust_memory() -> Vec<u8> {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![1_u8; 16 << 20]));
    }
}

/// Asks for all of it at once.
pub(crate) fn reserve_memory() -> Vec<u8> {
    black_box(Vec::with_capacity(100_000_000_000))
}
