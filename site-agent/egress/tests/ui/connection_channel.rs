//! The channel under a connection, on which anything could be sent.

use fedval_egress::Connection;

fn channel(connection: Connection) {
    let _ = connection.channel;
}

fn main() {}
