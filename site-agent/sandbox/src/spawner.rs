//! The thread that starts every child.
//!
//! A child asks the kernel to be killed when its parent dies, and the kernel takes the *thread*
//! that started it for the parent. Threads of an async runtime come and go, so one thread that
//! lives as long as the process does all starting.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::library::SealedLibrary;

struct Order {
    command: Command,
    /// What the child loads: its last argument says where it is.
    sealed: Option<SealedLibrary>,
    /// Watches the child's pipes and exit.
    runtime: Handle,
    started: oneshot::Sender<io::Result<Child>>,
}

/// Starts `command` on the spawning thread.
pub(crate) async fn start(command: Command, sealed: Option<SealedLibrary>) -> io::Result<Child> {
    let (started, child) = oneshot::channel();
    let order = Order { command, sealed, runtime: Handle::current(), started };
    orders()?.send(order).map_err(|_| io::ErrorKind::BrokenPipe)?;
    child.await.map_err(|_| io::ErrorKind::BrokenPipe)?
}

fn orders() -> io::Result<Sender<Order>> {
    static ORDERS: Mutex<Option<Sender<Order>>> = Mutex::new(None);
    let mut slot = ORDERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(orders) = &*slot {
        return Ok(orders.clone());
    }
    let (sender, receiver) = channel::<Order>();
    thread::Builder::new().name("box-spawner".to_owned()).spawn(move || {
        for order in receiver {
            let _context = order.runtime.enter();
            // A caller that no longer waits drops the child, and dropping kills it.
            let _ = order.started.send(spawn(order.command, order.sealed.as_ref()));
        }
    })?;
    Ok(slot.insert(sender).clone())
}

/// Every child is started here, one after the other: no other inherits what is open for this one.
fn spawn(mut command: Command, sealed: Option<&SealedLibrary>) -> io::Result<Child> {
    let inherited = sealed.map(SealedLibrary::inheritable).transpose()?;
    if let Some(inherited) = &inherited {
        command.arg(inherited.path());
    }
    command.spawn()
}
