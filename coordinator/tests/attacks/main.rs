//! Attacks on the server's transport, by their numbers: real sockets, the real binary.
//!
//! Each test floods the server as one party while another party calls it. What is asserted is that the
//! other party's calls succeed and that memory stays bounded; how long anything takes is not.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod a32_compressed;
mod a43_downgrade;
mod a44_floods;
mod a45_messages;
mod raw;
#[path = "../server/mod.rs"]
mod server;

use fedval_proto as proto;
use fedval_proto::certificate_service_client::CertificateServiceClient;
use server::{Coordinator, Party};

/// What an attack may make the server hold beyond what it held before.
const MEMORY: u64 = 96 << 20;

/// A server with a site that behaves and one that does not.
struct Target {
    coordinator: Coordinator,
    honest: Party,
    hostile: Party,
    memory_before: u64,
}

impl Target {
    async fn new() -> Self {
        let coordinator = Coordinator::serve();
        let honest = coordinator.enrol("honest").await;
        let hostile = coordinator.enrol("hostile").await;
        let target = Self { coordinator, honest, hostile, memory_before: 0 };
        target.others_are_served().await;
        let memory_before = target.coordinator.peak_memory();
        Self { memory_before, ..target }
    }

    /// Calls as the honest site, each on a connection of its own.
    async fn others_are_served(&self) {
        for _ in 0..5 {
            let mut client = CertificateServiceClient::new(self.coordinator.channel(&self.honest));
            let answer = client.check(proto::CheckRequest {}).await.unwrap().into_inner();
            assert_eq!(answer.site, "honest");
        }
    }

    #[track_caller]
    fn memory_is_bounded(&self) {
        let grown = self.coordinator.peak_memory() - self.memory_before;
        assert!(grown < MEMORY, "{} MiB more than before", grown >> 20);
    }
}
